#!/bin/sh
# generate.sh PROTOS: make v1/ from the contracts that `onetier protos PROTOS` wrote. Needs protoc; brings its own plugins.
set -eu
cd "$(dirname "$0")"
tools="$PWD/v1/tools"
mkdir -p "$tools"
GOBIN="$tools" go install google.golang.org/protobuf/cmd/protoc-gen-go
GOBIN="$tools" go install google.golang.org/grpc/cmd/protoc-gen-go-grpc
PATH="$tools:$PATH" ${PROTOC:-protoc} -I "$1" --go_out=. --go_opt=module=onetier --go-grpc_out=. --go-grpc_opt=module=onetier \
  onetier/v1/service_desk.proto onetier/v1/watch.proto

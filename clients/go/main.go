// Command onetier is a front end on its first day: charge, repeat, refused, session, watch; one JSON object a line.
//
//	go run . ADDRESS IDENTITY [FEED [TLS]]
//
// FEED is the address of a process of the feed, "" = none.
package main

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	v1 "onetier/v1"
)

const (
	deadline = 5 * time.Second
	// What the certificate of every app server says, whatever its address.
	server = "appserver.onetier.internal"
)

type told map[string]any

func main() {
	if len(os.Args) < 3 {
		log.Fatal("onetier ADDRESS IDENTITY [FEED [TLS]]: give the address of an app server and an identity")
	}
	given := append(os.Args, "", "")
	feed, folder := given[3], given[4]
	dialled, err := dial(os.Args[1], folder, server)
	if err != nil {
		log.Fatal(err)
	}
	defer dialled.Close()
	charged, err := firstDay(v1.NewServiceDeskServiceClient(dialled), os.Args[2])
	if err == nil && feed != "" {
		err = watched(feed, folder, charged)
	}
	if err != nil {
		log.Fatal(err)
	}
}

// firstDay gives the request key of its first charge.
func firstDay(desk v1.ServiceDeskServiceClient, identity string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 4*deadline)
	defer cancel()
	charge := &v1.ServiceRequest{
		Identity: identity, RequestType: v1.RequestType_REQUEST_TYPE_CHARGE, ServiceCode: "voice", Quantity: 61,
		OtherParty: "13912345678", Channel: "web-hall", RequestKey: newKey(), Explain: true,
	}
	first, err := desk.Charge(ctx, &v1.ChargeRequest{Request: charge})
	if err != nil {
		return "", err
	}
	say("charged", told{"amount": first.Charge.Amount, "currency": first.Charge.Currency,
		"repeated": first.Charge.Repeated, "steps": len(first.Charge.Steps)})

	// The reply was lost, so the same key is sent again: nothing is taken twice.
	again, err := desk.Charge(ctx, &v1.ChargeRequest{Request: charge})
	if err != nil {
		return "", err
	}
	say("repeated", told{"amount": again.Charge.Amount, "repeated": again.Charge.Repeated})

	refused := func(what string, change func(*v1.ServiceRequest)) {
		request := proto.Clone(charge).(*v1.ServiceRequest)
		change(request)
		_, err := desk.Charge(ctx, &v1.ChargeRequest{Request: request})
		say(what, refusal(err))
	}
	refused("other content", func(request *v1.ServiceRequest) { request.Quantity = 62 })
	refused("nobody", func(request *v1.ServiceRequest) {
		request.Identity, request.RequestKey = "msisdn:8619999999999", newKey()
	})
	refused("misspelt", func(request *v1.ServiceRequest) { request.Quantity, request.RequestKey = -1, newKey() })

	if err := session(ctx, desk, identity); err != nil {
		return "", err
	}
	if err := groups(ctx, desk, identity); err != nil {
		return "", err
	}
	view, err := desk.Query(ctx, &v1.QueryRequest{Request: &v1.ServiceRequest{
		Identity: identity, RequestType: v1.RequestType_REQUEST_TYPE_QUERY, ServiceCode: "balance", Channel: "web-hall"}})
	if err != nil {
		return "", err
	}
	say("balance", told{"real": view.GetBalance().Real, "reserved": view.GetBalance().Reserved})
	return charge.RequestKey, nil
}

// session asks for a quota, reports what was used, and ends.
func session(ctx context.Context, desk v1.ServiceDeskServiceClient, identity string) error {
	id := newKey()
	step := func(operation v1.SessionRequest_Operation, invocation uint32, requested, used int64) (*v1.SessionResult_Grant, error) {
		unit := &v1.UnitUse{ServiceCode: "voice", OtherParty: "13912345678", Requested: requested, Used: used}
		command := &v1.SessionRequest{SessionId: id, Operation: operation, Invocation: invocation, Units: []*v1.UnitUse{unit}}
		reply, err := desk.Execute(ctx, &v1.ExecuteRequest{Request: &v1.ServiceRequest{
			Identity: identity, RequestType: v1.RequestType_REQUEST_TYPE_EXECUTE, Channel: "web-hall", RequestKey: newKey(),
			Command: &v1.ServiceRequest_Session{Session: command}}})
		if err != nil {
			return nil, err
		}
		return reply.GetSession().Grants[0], nil
	}
	granted, err := step(v1.SessionRequest_OPERATION_CREATE, 0, 120, 0)
	if err != nil {
		return err
	}
	updated, err := step(v1.SessionRequest_OPERATION_UPDATE, 1, 120, 61)
	if err != nil {
		return err
	}
	released, err := step(v1.SessionRequest_OPERATION_RELEASE, 2, 0, 30)
	if err != nil {
		return err
	}
	say("session", told{"granted": granted.Granted, "charged": []int64{updated.Charged, released.Charged}})
	return nil
}

// refusal reads the rich error of a call: the reason is for programs, the fields say what was wrong where.
func refusal(err error) told {
	if err == nil {
		return told{"code": codes.OK.String()}
	}
	found := told{"code": status.Code(err).String(), "fields": []string{}}
	for _, detail := range status.Convert(err).Details() {
		switch each := detail.(type) {
		case *errdetails.ErrorInfo:
			found["reason"] = each.Reason
		case *errdetails.BadRequest:
			fields := []string{}
			for _, violation := range each.FieldViolations {
				fields = append(fields, violation.Field)
			}
			found["fields"] = fields
		}
	}
	return found
}

// dial connects with the certificates of a folder (ca.pem, frontend.pem, frontend.key); "" = a server on this machine
// without TLS.
func dial(address, folder, name string) (*grpc.ClientConn, error) {
	shown := insecure.NewCredentials()
	if folder != "" {
		own, err := tls.LoadX509KeyPair(filepath.Join(folder, "frontend.pem"), filepath.Join(folder, "frontend.key"))
		if err != nil {
			return nil, err
		}
		authority, err := os.ReadFile(filepath.Join(folder, "ca.pem"))
		if err != nil {
			return nil, err
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(authority) {
			return nil, errors.New("ca.pem holds no certificate")
		}
		shown = credentials.NewTLS(&tls.Config{
			Certificates: []tls.Certificate{own}, RootCAs: pool, ServerName: name, MinVersion: tls.VersionTLS12})
	}
	return grpc.NewClient(address, grpc.WithTransportCredentials(shown))
}

// newKey makes a key for one intent: keep it, and send it again for as long as you don't know what it did.
func newKey() string {
	return rand.Text()
}

func say(what string, found told) {
	found["what"] = what
	line, err := json.Marshal(found)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(line))
}

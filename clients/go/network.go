package main

import (
	"context"
	"slices"

	v1 "onetier/v1"
)

type use struct {
	group           uint32
	requested, used int64
	usual           bool
}

// groups is a network's session: units are rating groups, here two of one service and one that nobody knows.
func groups(ctx context.Context, desk v1.ServiceDeskServiceClient, identity string) error {
	id := newKey()
	step := func(operation v1.SessionRequest_Operation, invocation uint32, uses ...use) ([]*v1.SessionResult_Grant, error) {
		command := &v1.SessionRequest{SessionId: id, Operation: operation, Invocation: invocation}
		for _, each := range uses {
			command.Units = append(command.Units, &v1.UnitUse{UnitKey: &v1.UnitKey{RatingGroup: &each.group},
				Requested: each.requested, Used: each.used, RequestUsual: each.usual})
		}
		reply, err := desk.Execute(ctx, &v1.ExecuteRequest{Request: &v1.ServiceRequest{
			Identity: identity, RequestType: v1.RequestType_REQUEST_TYPE_EXECUTE, Channel: "web-hall", RequestKey: newKey(),
			Command: &v1.ServiceRequest_Session{Session: command}}})
		if err != nil {
			return nil, err
		}
		grants := reply.GetSession().Grants
		slices.SortFunc(grants, func(one, other *v1.SessionResult_Grant) int {
			return int(one.UnitKey.GetRatingGroup()) - int(other.UnitKey.GetRatingGroup())
		})
		return grants, nil
	}
	opened, err := step(v1.SessionRequest_OPERATION_CREATE, 0,
		use{group: 10, requested: 1 << 20}, use{group: 20, usual: true}, use{group: 77, requested: 1})
	if err != nil {
		return err
	}
	closed, err := step(v1.SessionRequest_OPERATION_RELEASE, 1, use{group: 10, used: 1 << 19}, use{group: 20, used: 1 << 20})
	if err != nil {
		return err
	}
	results, granted, charged := [][]any{}, []int64{}, []int64{}
	for _, grant := range opened {
		results = append(results, []any{grant.UnitKey.GetRatingGroup(), grant.ServiceCode, grant.ResultCode.String(), grant.Reason})
		granted = append(granted, grant.Granted)
	}
	for _, grant := range closed {
		charged = append(charged, grant.Charged)
	}
	say("groups", told{"results": results, "granted": granted, "charged": charged})
	return nil
}

package main

import (
	"context"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	v1 "onetier/v1"
)

const (
	// What the certificate of every process of the feed says, whatever its address.
	feedServer = "watch.onetier.internal"
	again      = 200 * time.Millisecond
)

// watch takes batches of what happens to accounts, from the cursor of the request on, until take says that it is enough.
// When the stream breaks it goes on at the cursor of the last batch that was taken; nothing is left out.
func watch(ctx context.Context, feed v1.WatchServiceClient, wanted *v1.WatchRequest, take func(*v1.WatchResponse) bool) error {
	request := proto.Clone(wanted).(*v1.WatchRequest)
	for {
		enough, err := follow(ctx, feed, request, take)
		if enough || (err != nil && status.Code(err) != codes.Unavailable) {
			return err
		}
		time.Sleep(again)
	}
}

func follow(ctx context.Context, feed v1.WatchServiceClient, request *v1.WatchRequest, take func(*v1.WatchResponse) bool) (bool, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := feed.Watch(ctx, request)
	if err != nil {
		return false, err
	}
	for {
		batch, err := stream.Recv()
		if err != nil {
			return false, err
		}
		if take(batch) {
			return true, nil
		}
		request.Cursor, request.FromOldest = batch.Cursor, false
	}
}

// watched says what the feed tells of a charge, and whether it goes on behind it.
func watched(address, folder, key string) error {
	dialled, err := dial(address, folder, feedServer)
	if err != nil {
		return err
	}
	defer dialled.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 4*deadline)
	defer cancel()
	feed := v1.NewWatchServiceClient(dialled)
	var event, next *v1.AccountEvent
	cursor := ""
	find := func(request *v1.WatchRequest, fits func(*v1.AccountEvent) bool) (found *v1.AccountEvent, err error) {
		err = watch(ctx, feed, request, func(batch *v1.WatchResponse) bool {
			for _, each := range batch.Events {
				if fits(each) {
					found, cursor = each, batch.Cursor
				}
			}
			return found != nil
		})
		return found, err
	}
	kinds := []string{"charged"}
	event, err = find(&v1.WatchRequest{FromOldest: true, Kinds: kinds, EventsMax: 1},
		func(each *v1.AccountEvent) bool { return each.RequestKey == key })
	if status.Code(err) == codes.PermissionDenied {
		say("watch", refusal(err))
		return nil
	}
	if err != nil {
		return err
	}
	next, err = find(&v1.WatchRequest{Cursor: cursor, Kinds: kinds, EventsMax: 1},
		func(each *v1.AccountEvent) bool { return each.Identity == event.Identity })
	if err != nil {
		return err
	}
	facts := []string{}
	for _, fact := range event.Facts {
		facts = append(facts, fact.Kind)
	}
	say("watch", told{"amount": event.Amount, "kinds": facts, "next": next.Command})
	return nil
}

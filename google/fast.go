package google

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"time"

	"outlay"

	"cloud.google.com/go/bigquery"
	"google.golang.org/api/iterator"
	"google.golang.org/api/option"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

// fastRows reads the rows of a query that is done through the Storage Read API, in Arrow (clouds.md §4.8). Where Google
// gives no such stream, the rows come as those of any other query: they are the same. Google's client tries again by
// itself for a long time, so a stream from which nothing comes is given up here.
func (p *Provider) fastRows(a *answer) func(context.Context, func([]*string) error) error {
	return func(ctx context.Context, each func([]*string) error) error {
		c := call{Action: "bigquery.readsessions.create", Resource: "projects/" + a.q.project, Doing: "reading the answer of a query through the Storage Read API"}
		patient, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		timer := time.AfterFunc(p.opts.Answer, func() { cancel(errSilent) })
		defer timer.Stop()
		client, err := p.storage(patient, a)
		if err != nil {
			return failure(err, c)
		}
		defer func() { _ = client.Close() }() // read only
		it, err := stream(patient, client, a)
		if err == nil && it.IsAccelerated() {
			err = drain(it, len(a.fields), func(row []*string) error {
				timer.Reset(p.opts.Answer)
				return each(row)
			})
		} else if err == nil {
			return a.rows(ctx, each)
		}
		if err != nil && errors.Is(context.Cause(patient), errSilent) {
			err = errSilent
		}
		return failure(err, c)
	}
}

// stream opens the rows of a job that is done.
func stream(ctx context.Context, client *bigquery.Client, a *answer) (*bigquery.RowIterator, error) {
	job, err := client.JobFromIDLocation(ctx, a.job, a.q.location)
	if err != nil {
		return nil, err
	}
	return job.Read(ctx)
}

// drain gives each row of a stream as texts.
func drain(it *bigquery.RowIterator, columns int, each func([]*string) error) error {
	row := make([]*string, columns)
	for {
		var values []bigquery.Value
		err := it.Next(&values)
		if errors.Is(err, iterator.Done) {
			return nil
		}
		if err != nil {
			return err
		}
		if len(values) != columns {
			return outlay.Errorf(outlay.CodeUnavailable, itself, "a row of a stream has %d values, and there are %d columns", len(values), columns)
		}
		for i, v := range values {
			if row[i], err = valueText(v); err != nil {
				return err
			}
		}
		if err := each(row); err != nil {
			return err
		}
	}
}

// storage is the client that reads by streams. Its own calls go the same way as all others; the streams go to Google, or
// to the stand-in.
func (p *Provider) storage(ctx context.Context, a *answer) (*bigquery.Client, error) {
	client, err := bigquery.NewClient(ctx, a.q.project, option.WithHTTPClient(p.signed(a.q.ses.token)), option.WithEndpoint(p.url("https://bigquery.googleapis.com/bigquery/v2/", "/bigquery/v2/")))
	if err != nil {
		return nil, err
	}
	opts := []option.ClientOption{option.WithTokenSource(a.q.ses.token)}
	if p.opts.StorageEndpoint != "" {
		opts = []option.ClientOption{
			option.WithEndpoint(p.opts.StorageEndpoint), option.WithoutAuthentication(), option.WithGRPCDialOption(grpc.WithTransportCredentials(insecure.NewCredentials())),
		}
	}
	if err := client.EnableStorageReadClient(ctx, opts...); err != nil {
		return nil, errors.Join(err, client.Close())
	}
	return client, nil
}

// valueText is a value of a stream as the other way of reading would write it.
func valueText(v bigquery.Value) (*string, error) {
	var s string
	switch v := v.(type) {
	case nil:
		return nil, nil
	case string:
		s = v
	case int64:
		s = strconv.FormatInt(v, 10)
	case float64:
		s = strconv.FormatFloat(v, 'g', -1, 64)
	case bool:
		s = strconv.FormatBool(v)
	case time.Time:
		s = timeText(v)
	case *big.Rat:
		if s = v.FloatString(9); strings.Contains(s, ".") { // NUMERIC has nine decimals
			s = strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
		}
	case fmt.Stringer:
		s = v.String()
	default:
		return nil, outlay.Errorf(outlay.CodeInternal, "", "a stream holds a value of type %T", v)
	}
	return &s, nil
}

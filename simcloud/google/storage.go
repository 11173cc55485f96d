package google

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"

	"cloud.google.com/go/bigquery/storage/apiv1/storagepb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// readSession is one session of the Storage Read API: the results of a job, or a whole table.
type readSession struct {
	columns []column
	from    string
	rows    int64
}

// storageServer answers the two calls that the official client makes.
type storageServer struct {
	storagepb.UnimplementedBigQueryReadServer
	cloud *Cloud
}

// StartStorage serves the Storage Read API over plain gRPC on addr ("127.0.0.1:0" picks a port) until stop is called.
func (c *Cloud) StartStorage(addr string) (hostPort string, stop func(), err error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return "", nil, fmt.Errorf("starting the simulated Storage Read API: %w", err)
	}
	server := grpc.NewServer()
	storagepb.RegisterBigQueryReadServer(server, storageServer{cloud: c})
	done := make(chan struct{})
	go func() {
		_ = server.Serve(l) // returns when stopped
		close(done)
	}()
	return l.Addr().String(), func() { server.Stop(); <-done }, nil
}

// rpc makes a call of what came over gRPC, so that faults and the log are the same.
func (c *Cloud) rpc(ctx context.Context, id, resource string) (*call, error) {
	k := &call{R: &http.Request{Method: http.MethodPost, URL: &url.URL{Path: "/" + resource}, Header: http.Header{}}, route: &route{id: id}}
	if md, found := metadata.FromIncomingContext(ctx); found && len(md.Get("authorization")) > 0 {
		k.R.Header.Set("Authorization", md.Get("authorization")[0])
	}
	f := c.Pick(k.target())
	a := answer{Status: http.StatusOK}
	err := grpcFault(ctx, f, c.Down())
	if err != nil {
		a = answer{Status: http.StatusInternalServerError, Code: status.Code(err).String()}
	}
	c.Note(k.request(c.opt.Now(), a, f))
	if f != nil && err == nil {
		k.spoil = f.Kind
	}
	return k, err
}

// grpcFault is a fault as a gRPC client sees it; nil for those that spoil the stream.
func grpcFault(ctx context.Context, f *Fault, stop <-chan struct{}) error {
	if f == nil {
		return nil
	}
	switch f.Kind {
	case Throttle, QuotaExceeded:
		return status.Error(codes.ResourceExhausted, "Quota exceeded for quota metric 'Requests'")
	case AccessDenied, ServiceDisabled:
		return status.Error(codes.PermissionDenied, "the user does not have 'bigquery.readsessions.create' permission")
	case ExpiredToken:
		return status.Error(codes.Unauthenticated, "Request had invalid authentication credentials.")
	case Truncate, TruncateSilently, Trickle:
		return nil
	case Hang, HangAfter:
		select {
		case <-ctx.Done():
		case <-stop:
		}
		return status.Error(codes.Unavailable, "gone")
	case FailBefore, FailAfter, Garble:
		return status.Error(codes.Internal, "internal error")
	}
	return status.Error(codes.Unavailable, "the service is unavailable")
}

// CreateReadSession opens a session with one stream. Whoever shows no token, which the official client does not over a
// plain connection, gets at results of queries only: their names cannot be guessed.
func (s storageServer) CreateReadSession(ctx context.Context, q *storagepb.CreateReadSessionRequest) (*storagepb.ReadSession, error) {
	k, err := s.cloud.rpc(ctx, "storage.createReadSession", q.GetReadSession().GetTable())
	if err != nil {
		return nil, err
	}
	c := s.cloud
	c.mu.Lock()
	defer c.mu.Unlock()
	session, err := c.session(k, q.GetReadSession().GetTable())
	if err != nil {
		return nil, err
	}
	schema, err := stream(arrowSchema(session.columns))
	if err != nil {
		return nil, status.Error(codes.Internal, err.Error())
	}
	name := strings.TrimPrefix(q.GetParent(), "/") + "/locations/us/sessions/" + c.state.ID(24)
	c.reads[name+"/streams/1"] = session
	out := &storagepb.ReadSession{
		Name: name, Table: q.GetReadSession().GetTable(), DataFormat: storagepb.DataFormat_ARROW, EstimatedRowCount: session.rows,
		Schema: &storagepb.ReadSession_ArrowSchema{ArrowSchema: &storagepb.ArrowSchema{SerializedSchema: schema}},
	}
	if session.rows > 0 {
		out.Streams = []*storagepb.ReadStream{{Name: name + "/streams/1"}}
	}
	return out, nil
}

// session finds what is to be read, and whether the caller may.
func (c *Cloud) session(k *call, resource string) (*readSession, error) {
	parts := strings.Split(resource, "/")
	if len(parts) != 6 {
		return nil, status.Errorf(codes.InvalidArgument, "Malformed table name: %s", resource)
	}
	project, datasetID, tableID := parts[1], parts[3], parts[5]
	signedIn := c.authenticate(k) == nil
	if id, isResult := strings.CutPrefix(tableID, "anon_"); isResult {
		j, fail := c.byLocation(project, "", id)
		if fail != nil || j.failed != nil {
			return nil, status.Errorf(codes.NotFound, "Not found: Table %s", resource)
		}
		reader := c.state.Identities[j.by]
		if signedIn {
			reader = k.Caller
		}
		if !c.allowed(reader, "bigquery.readsessions.create", "projects/"+project) {
			return nil, status.Errorf(codes.PermissionDenied, "the user does not have 'bigquery.readsessions.create' permission for 'projects/%s'", project)
		}
		return &readSession{j.columns, j.physical(), j.rows}, nil
	}
	if !signedIn {
		return nil, status.Error(codes.Unauthenticated, "Request is missing required authentication credential.")
	}
	d := c.state.Datasets[project+"."+datasetID]
	if d == nil || d.Tables[tableID] == nil || !d.Tables[tableID].stored() {
		return nil, status.Errorf(codes.NotFound, "Not found: Table %s", resource)
	}
	for _, p := range []string{"bigquery.readsessions.create", "bigquery.tables.getData"} {
		if !c.allowed(k.Caller, p, "tables/"+d.key()+"."+tableID) {
			return nil, status.Errorf(codes.PermissionDenied, "the user does not have '%s' permission", p)
		}
	}
	t := d.Tables[tableID]
	return &readSession{t.Columns, "(SELECT * EXCLUDE (" + partitionTime + "), rowid FROM " + physical(d, t) + ")", t.Rows}, nil
}

// batchRows is how many rows one message carries.
const batchRows = 1000

// ReadRows sends a stream from an offset on. A fault may end it early: with an error, or without one.
func (s storageServer) ReadRows(q *storagepb.ReadRowsRequest, to storagepb.BigQueryRead_ReadRowsServer) error {
	c := s.cloud
	k, err := c.rpc(to.Context(), "storage.readRows", q.GetReadStream())
	if err != nil {
		return err
	}
	c.mu.Lock()
	session := c.reads[q.GetReadStream()]
	c.mu.Unlock()
	if session == nil {
		return status.Errorf(codes.NotFound, "Not found: stream %s", q.GetReadStream())
	}
	end := session.rows
	if k.spoil != "" {
		end = q.GetOffset() + (session.rows-q.GetOffset())/2
	}
	for at := q.GetOffset(); at < end; at += batchRows {
		if err := c.sendBatch(session, at, min(batchRows, end-at), to); err != nil {
			return err
		}
	}
	if k.spoil == Truncate || k.spoil == Trickle {
		return status.Error(codes.Unavailable, "the stream broke")
	}
	return nil
}

func (c *Cloud) sendBatch(session *readSession, at, n int64, to storagepb.BigQueryRead_ReadRowsServer) error {
	c.mu.Lock()
	var rows [][]any
	err := c.scan(session.columns, session.from, at, n, func(values []any) { rows = append(rows, values) })
	c.mu.Unlock()
	if err != nil {
		return status.Error(codes.Internal, err.Error())
	}
	batch, err := batchOf(session.columns, rows)
	if err != nil {
		return status.Error(codes.Internal, err.Error())
	}
	return to.Send(&storagepb.ReadRowsResponse{RowCount: int64(len(rows)), Rows: &storagepb.ReadRowsResponse_ArrowRecordBatch{
		ArrowRecordBatch: &storagepb.ArrowRecordBatch{SerializedRecordBatch: batch},
	}})
}

package aws

import (
	"net/http"

	"outlay/simcloud"
)

// OperationOf names a request as the log does, "s3:CreateBucket": for proxies that stand before the cloud.
func OperationOf(r *http.Request, body []byte) string {
	k := newCall(r, body)
	return k.Service + ":" + k.Op
}

// Refusal is an error answer to a request in the protocol of the service that was called: for proxies that refuse in the
// cloud's name. The kind gives the code; status, when not 0, replaces the usual one.
func Refusal(r *http.Request, body []byte, kind FaultKind, status int) simcloud.Response {
	k := newCall(r, body)
	k.ID = "refused"
	a := k.failed(k.fault(&Fault{Kind: kind}, kind))
	if status != 0 {
		a.Status = status
	}
	return a
}

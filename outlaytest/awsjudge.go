package outlaytest

import (
	"net/http"
	"testing"
)

// AWSJudge checks requests and answers against the official models.
func AWSJudge(t testing.TB) func(http.Handler) http.Handler {
	return func(h http.Handler) http.Handler { return h }
}

package ingest

import (
	"errors"
	"testing"

	"outlay"
)

// TestProblemWords: a problem on the page holds what Outlay worded, down the causes, and not what a client dumped.
func TestProblemWords(t *testing.T) {
	dump := errors.New("GET https://store.example\n------\nRESPONSE 404\n<xml/>")
	for _, c := range []struct {
		err  error
		want string
	}{
		{&outlay.Error{Code: outlay.CodeNotFound, Message: "reading part 0: it does not exist", Err: dump}, "reading part 0: it does not exist"},
		{outlay.Errorf(outlay.CodeInvalid, "", "loading the month: %w", &outlay.Error{Code: outlay.CodeInvalid, Message: "line 2 is short", Err: dump}), "loading the month: line 2 is short"},
		{outlay.Errorf(outlay.CodeInternal, "", "loading the month: %w", &outlay.Error{Code: outlay.CodeInvalid, Message: "line 2 is short"}), "loading the month"},
	} {
		if got := problemOf(c.err, outlay.Unit{}, verdict{}).Message; got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

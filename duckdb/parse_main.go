package duckdb

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"outlay"
)

// failure is how a parse error travels from the child: what outlay.Error shows, never its cause.
type failure struct {
	Code    outlay.Code `json:"code"`
	Message string      `json:"message"`
	Fix     string      `json:"fix,omitempty"`
	Field   string      `json:"field,omitempty"`
}

// ParseMain is the body of the hidden command that Child starts: it reads one outlay.ParseJob as JSON from stdin,
// limits its own memory and CPU time, parses, and writes to stdout either the list of outlay.ParsedPeriod or the
// failure as {code, message, fix, field}. A returned error must become a non-zero exit status.
func ParseMain(stdin io.Reader, stdout io.Writer) error {
	var job outlay.ParseJob
	if err := json.NewDecoder(io.LimitReader(stdin, 64<<20)).Decode(&job); err != nil {
		return fmt.Errorf("reading the parse job: %w", err)
	}
	if err := limitProcess(job); err != nil {
		return err
	}
	periods, err := parse(context.Background(), job, newPhases(os.Stderr))
	if err != nil {
		e := outlay.AsError(err)
		reply := failure{Code: e.Code, Message: e.Message, Fix: e.Fix, Field: e.Field}
		if e.Err != nil { // the parent gets no chain of errors, only words
			reply.Message = e.Error()
		}
		if werr := json.NewEncoder(stdout).Encode(reply); werr != nil {
			return fmt.Errorf("writing the failure: %w", werr)
		}
		return err
	}
	if periods == nil {
		periods = []outlay.ParsedPeriod{}
	}
	if err := json.NewEncoder(stdout).Encode(periods); err != nil {
		return fmt.Errorf("writing the answer: %w", err)
	}
	return nil
}

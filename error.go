package outlay

import (
	"errors"
	"fmt"
	"time"
)

// Code says what kind of failure an error is. The code alone decides HTTP status, exit status and whether to retry.
type Code string

// The eight codes.
const (
	CodeInvalid         Code = "invalid"         // the request is wrong; repeating it does not help
	CodeNotFound        Code = "not_found"       // no such thing, or not yours: the two look alike
	CodeConflict        Code = "conflict"        // somebody was first, or the state does not allow it
	CodeUnauthenticated Code = "unauthenticated" // nobody is signed in
	CodeForbidden       Code = "forbidden"       // signed in, but may not; or the cloud refused a permission
	CodeThrottled       Code = "throttled"       // too many calls; wait and repeat
	CodeUnavailable     Code = "unavailable"     // the other side did not answer; the outcome may be unknown
	CodeInternal        Code = "internal"        // a fault of ours
)

// Error is a failure that a person can act on.
type Error struct {
	Code    Code
	Message string // what happened, one sentence, no secret in it
	Fix     string // what to do next; may be empty
	Field   string // the form field, file or line at fault; may be empty
	// Outcome tells whether the effect of a failed call may have happened. Only meaningful for cloud calls.
	Outcome Outcome
	// Needs lists the permissions whose lack caused a CodeForbidden from a cloud.
	Needs []Permission
	// RetryAfter is how long the other side asked us to wait before we repeat; zero when it did not say. The engine
	// waits at least that long.
	RetryAfter time.Duration
	Err        error // the cause, for logs
}

// Outcome classifies a failed call by what may have happened on the other side (reliability.md §3.4).
type Outcome int

// The three outcomes of a failed call.
const (
	DefinitelyNot Outcome = iota // refused: 4xx except 408, 409, 429
	NeverSent                    // dial, DNS or TLS failed
	Unknown                      // timeout, reset, EOF, 5xx, cancelled: look before you repeat
)

// Error is Message, and the cause after a colon.
func (e *Error) Error() string {
	if e.Err == nil {
		return e.Message
	}
	return e.Message + ": " + e.Err.Error()
}

// Unwrap is the cause.
func (e *Error) Unwrap() error { return e.Err }

// Errorf makes an Error. The last %w argument, if any, becomes its cause and stays out of Message.
func Errorf(code Code, fix, format string, args ...any) *Error {
	e := &Error{Code: code, Fix: fix}
	full := fmt.Errorf(format, args...)
	e.Err = errors.Unwrap(full)
	e.Message = full.Error()
	if e.Err != nil {
		if cut := len(e.Message) - len(": ") - len(e.Err.Error()); cut > 0 && e.Message[cut:] == ": "+e.Err.Error() {
			e.Message = e.Message[:cut]
		} else {
			e.Err = nil // the cause is part of the sentence
		}
	}
	return e
}

// InField returns a copy of e that names the field, file or line at fault.
func (e *Error) InField(field string) *Error {
	c := *e
	c.Field = field
	return &c
}

// CodeOf is the code of the first Error in err's chain; CodeInternal for any other error, and "" for nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return CodeInternal
}

// AsError is err as an *Error: the first in its chain, or a CodeInternal with a safe sentence and err as its cause.
func AsError(err error) *Error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return &Error{Code: CodeInternal, Message: "something went wrong inside Outlay", Fix: "Look at the server's log.", Err: err, Outcome: Unknown}
}

// Retryable tells whether doing the same again later can help.
func (c Code) Retryable() bool { return c == CodeThrottled || c == CodeUnavailable }

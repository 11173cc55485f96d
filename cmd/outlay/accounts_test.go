package main

import (
	"testing"
	"time"

	"outlay"
)

// TestReason: an account whose looks fail says so in the list, not only that we are looking.
func TestReason(t *testing.T) {
	s := outlay.BillingStatus{Status: outlay.Checking, Reason: "We are looking for cost data."}
	if got := reason(s); got != s.Reason {
		t.Errorf("got %q", got)
	}
	s.CouldNotCheckSince, s.CouldNotCheckWhy = time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC), "the role cannot be assumed."
	if got, want := reason(s), "We are looking for cost data. Could not look since 2026-11-24 08:00 UTC: the role cannot be assumed."; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

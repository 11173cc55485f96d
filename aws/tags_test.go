package aws

import (
	"strings"
	"testing"
	"time"

	"outlay"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/costexplorer/types"
	"github.com/google/go-cmp/cmp"
)

// TestTagRows tells where each key stands, since when, and which listed key was probably meant for it.
func TestTagRows(t *testing.T) {
	now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	tag := func(key string, status types.CostAllocationTagStatus, updated string) types.CostAllocationTag {
		return types.CostAllocationTag{TagKey: sdk.String(key), Status: status, LastUpdatedDate: sdk.String(updated)}
	}
	all := []types.CostAllocationTag{
		tag("User", types.CostAllocationTagStatusActive, "2026-03-03T08:00:00Z"), tag("Pool", types.CostAllocationTagStatusActive, "2026-11-22T08:00:00Z"),
		tag("Name", types.CostAllocationTagStatusInactive, "2026-03-03T08:00:00Z"), tag("Projekt", types.CostAllocationTagStatusActive, ""), tag("project", types.CostAllocationTagStatusInactive, ""),
		tag("SesionID", types.CostAllocationTagStatusInactive, ""), tag("kubernetes.io/name", types.CostAllocationTagStatusActive, ""),
	}
	o := &observer{seen: &outlay.Observation{At: now}}
	want := map[string]map[string]string{
		"User": {"status": "active", "since": "2026-03-03T08:00:00Z"}, "Pool": {"status": "activating", "since": "2026-11-22T08:00:00Z"}, "Name": {"status": "inactive"},
		"Project": {"status": "not seen yet", "similar key": "project"}, "SessionID": {"status": "not seen yet", "similar key": "SesionID"}, "Date": {"status": "not seen yet"},
	}
	for key, properties := range want {
		if d := cmp.Diff(properties, o.tag(key, all).Properties); d != "" {
			t.Errorf("%s:\n%s", key, d)
		}
	}
}

// TestTagHolds says which key was probably meant.
func TestTagHolds(t *testing.T) {
	for near, words := range map[string]string{"project": "letter case counts", "Projekt": "Was Project meant?", "": ""} {
		pl := &planner{p: &Provider{}, s: &outlay.Source{Spec: &outlay.Spec{Tags: []string{"Project"}}}, seen: outlay.Observation{Resources: []outlay.Resource{
			{Kind: kindTag, Name: "Project", Properties: map[string]string{propStatus: tagUnseen, propNearMiss: near}},
		}}}
		pl.tags()
		hold := pl.plan.Changes[0].Hold
		if !strings.Contains(hold, words) || near != "" && !strings.Contains(hold, "AWS has seen "+near) {
			t.Errorf("%q: %s", near, hold)
		}
	}
}

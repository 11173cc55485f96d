package google

import (
	"encoding/json"
	"testing"
	"time"

	"outlay"
)

// scene is one source with what a look found of it.
type scene struct {
	p    *Provider
	s    *outlay.Source
	seen outlay.Observation
}

// scenes are the situations whose plans are kept.
func scenes() map[string]scene {
	p := New(Options{NamingKey: []byte("a key for tests"), InstallationID: "ins_test"})
	intent := time.Date(2026, 11, 16, 12, 0, 0, 0, time.UTC)
	spec := func(fields ...string) *outlay.Spec {
		sp := &outlay.Spec{Region: "US", Fields: map[string]string{}}
		for i := 0; i+1 < len(fields); i += 2 {
			sp.Fields[fields[i]] = fields[i+1]
		}
		return sp
	}
	identity := outlay.Identity{
		AccountID: hosting, Principal: "outlay@" + hosting + ".iam.gserviceaccount.com", Scope: outlay.BillingScope{ID: payer, Name: "Northfield", IsPayer: true}, Extra: map[string]string{},
	}
	source := func(sp *outlay.Spec, rows ...outlay.Resource) *outlay.Source {
		return &outlay.Source{OrgID: "org_1", ID: "src_1", Provider: Name, Origin: outlay.OriginCreated, Spec: sp, Resources: rows}
	}
	name := p.namesOf(source(spec()), identity).Dataset
	dataset := outlay.Resource{
		Kind: kindDataset, Name: name, ProviderID: datasetID(hosting, name, intent), Created: intent, State: outlay.StateCreated, Owner: p.ourLabels(source(nil), "op_1"),
		Properties: map[string]string{propProject: hosting, propLocation: "US", propExpiration: never},
	}
	row := dataset
	row.Origin, row.IntentAt, row.OperationID = outlay.CreatedByUs, intent, "op_1"
	services := func(state string) outlay.Resource {
		return outlay.Resource{Kind: kindServices, Name: hosting, Properties: map[string]string{servBigQ: state, servBilling: serviceOn, servProject: serviceOn}}
	}
	access := func(properties map[string]string) outlay.Resource {
		return outlay.Resource{Kind: kindAccess, Name: name, Properties: properties}
	}
	table := outlay.Resource{Kind: kindTable, Name: exportDetailed.table(payer), Properties: map[string]string{propProject: hosting, propDataset: name, propTable: exportDetailed.table(payer), propExport: "detailed"}}
	contents := outlay.Resource{Kind: kindTables, Name: name, Objects: 1, Bytes: 123456789, Properties: map[string]string{propWritten: recently}}
	see := func(list ...outlay.Resource) outlay.Observation {
		return outlay.Observation{At: intent.Add(time.Hour), Identity: identity, Resources: list, Unknown: map[string]string{}}
	}
	down := func(files outlay.CostFiles) *outlay.Source {
		s := source(nil, row, outlay.Resource{Kind: kindServices, Name: hosting, State: outlay.StateVerified}, outlay.Resource{Kind: kindTable, Name: table.Name, State: outlay.StateVerified})
		s.CostFiles = files
		return s
	}
	reader := map[string]string{propReader: identity.Principal, propWriter: present}
	return map[string]scene{
		"up-fresh":        {p, source(spec()), see(services(serviceOn))},
		"up-services-off": {p, source(spec()), see(services(serviceOff))},
		"up-region":       {p, source(&outlay.Spec{Region: "europe-west3"}), see(services(serviceOn))},
		"up-focus":        {p, source(spec(fieldExport, "focus")), see(services(serviceOn))},
		"up-waiting":      {p, source(spec(), row), see(services(serviceOn), dataset, access(map[string]string{propReader: identity.Principal}))},
		"up-turned-on":    {p, source(spec(), row), see(services(serviceOn), dataset, access(reader))},
		"up-done":         {p, source(spec(), row), see(services(serviceOn), dataset, access(reader), table)},
		"down-delete":     {p, down(outlay.DeleteCostFiles), see(dataset, access(reader), table, contents)},
		"down-keep":       {p, down(outlay.KeepCostFiles), see(dataset, access(reader), table, contents)},
		"down-nothing":    {p, source(nil), see()},
	}
}

func TestPlansGolden(t *testing.T) {
	for name, sc := range scenes() {
		t.Run(name, func(t *testing.T) {
			plan, err := sc.p.Plan(sc.s, sc.seen)
			if err != nil {
				t.Fatal(err)
			}
			for i, r := range sc.seen.Resources { // a delivery comes between the look and the click
				sc.seen.Resources[i].Objects, sc.seen.Resources[i].Bytes = 3*r.Objects, 7*r.Bytes
			}
			again, err := sc.p.Plan(sc.s, sc.seen)
			if err != nil || again.Hash() != plan.Hash() {
				t.Errorf("a delivery made another plan of it (%v)", err)
			}
			b, err := json.MarshalIndent(plan, "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			golden(t, "plan/"+name+".json", string(b)+"\n")
		})
	}
}

// TestPoints counts the injection points of the ways up and down (reliability.md §3.2): two for a read, and the person's
// step is one, five for a change, two each for binding at the beginning and publishing at the end.
func TestPoints(t *testing.T) {
	for name, want := range map[string]int{"up-fresh": 16, "down-delete": 14} {
		sc := scenes()[name]
		plan, err := sc.p.Plan(sc.s, sc.seen)
		if err != nil {
			t.Fatal(err)
		}
		points := 4
		for _, c := range plan.Changes {
			switch {
			case c.Action == outlay.ActionManual && sc.s.Spec != nil:
				points += 2
			case c.Action == outlay.ActionManual, c.Action == outlay.ActionKeep:
			default:
				points += 5
				for _, read := range []string{c.Look, c.Verify} {
					if read != "" {
						points += 2
					}
				}
			}
		}
		if points != want {
			t.Errorf("%s has %d points, want %d", name, points, want)
		}
	}
}

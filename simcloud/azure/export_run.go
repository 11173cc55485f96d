package azure

import (
	"net/http"
	"strconv"
	"time"
)

// run is one execution of an export.
type run struct {
	ID                        string
	Kind                      string // "OnDemand" or "Scheduled"
	Status                    string // "Queued", "InProgress", "Completed", "Failed", "DataNotAvailable"
	By                        string
	From, To                  time.Time // first and last day
	Submitted, Started, Ended time.Time
	Manifest                  string // path of its manifest
	File                      string // path of its one file, of an export without partitioning
	Code, Message             string // why it failed
	Pending                   []byte // a manifest that is still to be written: the run was torn
}

func (e *export) lastRun() *run {
	if len(e.Runs) == 0 {
		return nil
	}
	return e.Runs[len(e.Runs)-1]
}

// history lists the last n runs, newest first.
func (c *Cloud) history(e *export, n int) []object {
	out := []object{}
	for i := len(e.Runs) - 1; i >= 0 && len(out) < n; i-- {
		out = append(out, c.wireRun(e, e.Runs[i]))
	}
	return out
}

func (c *Cloud) wireRun(e *export, r *run) object {
	status := r.Status
	if status == "InProgress" {
		status = c.opt.ProgressWord
	}
	p := object{
		"executionType": r.Kind, "status": status, "submittedBy": r.By, "submittedTime": wireTime(r.Submitted), "startDate": wireTime(r.From), "endDate": wireTime(r.To),
		"runSettings": object{"definition": e.Properties.Definition, "deliveryInfo": e.Properties.DeliveryInfo, "format": e.Properties.Format},
	}
	if !r.Started.IsZero() {
		p["processingStartTime"] = wireTime(r.Started)
	}
	if !r.Ended.IsZero() {
		p["processingEndTime"] = wireTime(r.Ended)
	}
	if r.Manifest != "" {
		p["manifestFile"], p["fileName"] = r.Manifest, r.Manifest
	}
	if r.File != "" {
		p["fileName"] = r.File
	}
	if r.Code != "" {
		p["error"] = object{"code": r.Code, "message": r.Message}
	}
	return object{"id": e.id() + "/runHistory/" + r.ID, "name": r.ID, "type": "Microsoft.CostManagement/exports/runHistory", "properties": p}
}

func (c *Cloud) exportHistory(k *call) (answer, *refusal) {
	_, e, fail := c.liveExport(k, "Microsoft.CostManagement/exports/read")
	if fail != nil {
		return answer{}, fail
	}
	return jsonAnswer(http.StatusOK, object{"value": c.history(e, 100)})
}

// runExport queues a run. It names no run: the caller has to find it in the history.
func (c *Cloud) runExport(k *call) (answer, *refusal) {
	s, e, fail := c.liveExport(k, "Microsoft.CostManagement/exports/run/action", "Microsoft.CostManagement/exports/action")
	if fail != nil {
		return answer{}, fail
	}
	if s.Kind == "billing-profile" {
		return answer{}, refuse(http.StatusForbidden, "RBACAccessDenied", "Service principals may not run exports of a billing profile.")
	}
	var in struct{ TimePeriod *timePeriod }
	if len(k.Body) > 0 {
		if fail := k.decode(&in); fail != nil {
			return answer{}, fail
		}
	}
	now := c.opt.Now().UTC()
	from, to := monthOf(now)
	if in.TimePeriod != nil {
		from, to = day(in.TimePeriod.From), day(in.TimePeriod.To)
		switch {
		case to.Before(from) || from.Year() != to.Year() || from.Month() != to.Month():
			return answer{}, badExport("Invalid timePeriod; it has to lie within one calendar month.")
		case to.After(now):
			return answer{}, badExport("Invalid timePeriod to; it cannot be in the future.")
		case from.Before(now.AddDate(-7, 0, 0)):
			return answer{}, badExport("Invalid timePeriod from; it cannot be more than 7 years ago.")
		}
	}
	if fail := c.throttleRuns(e, now); fail != nil {
		return answer{}, fail
	}
	e.Runs = append(e.Runs, &run{ID: c.state.UUID(), Kind: "OnDemand", Status: "Queued", By: k.Caller.ClientID, From: from, To: to, Submitted: now})
	select {
	case c.asked <- struct{}{}:
	default: // it knows already
	}
	if c.opt.RunAccepted {
		return empty(http.StatusAccepted)
	}
	return empty(http.StatusOK)
}

func day(t time.Time) time.Time { return t.UTC().Truncate(24 * time.Hour) }

// monthOf is the first and the last day of a time's month.
func monthOf(t time.Time) (from, to time.Time) {
	from = time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC)
	return from, from.AddDate(0, 1, -1)
}

// throttleRuns refuses more than RunsPerMinute, with the header that only Cost Management has.
func (c *Cloud) throttleRuns(e *export, now time.Time) *refusal {
	var recent []time.Time
	for _, t := range e.AskedAt {
		if now.Sub(t) < time.Minute {
			recent = append(recent, t)
		}
	}
	e.AskedAt = recent
	if c.opt.RunsPerMinute > 0 && len(recent) >= c.opt.RunsPerMinute {
		wait := int((time.Minute-now.Sub(recent[0]))/time.Second) + 1
		return refuse(http.StatusTooManyRequests, "429", "Too many requests. Please retry after %d seconds.", wait).with("X-Ms-Ratelimit-Microsoft.consumption-Retry-After", strconv.Itoa(wait))
	}
	e.AskedAt = append(e.AskedAt, now)
	return nil
}

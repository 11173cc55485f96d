package web

import (
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"time"

	"outlay"
	"outlay/control"
)

// costs is the cost dashboard. Its whole state is in the URL.
func (s *site) costs(c *call) error {
	q := c.r.URL.Query()
	if merged, ok := mergeFilter(q); ok { // the "Add filter" form: give the view its own address
		return s.goTo(c, merged)
	}
	s.dates(q)
	req, err := control.ParseCostRequest(q)
	if err != nil {
		return s.badCosts(c, q, err)
	}
	view, err := s.Control.Costs(c.r.Context(), c.actor, req)
	if err != nil {
		return s.badCosts(c, q, err)
	}
	body, err := s.costsBody(c, view)
	if err != nil {
		return err
	}
	if c.partial() {
		c.w.Header().Set("HX-Push-Url", body.address())
	}
	return s.show(c, "costs", page{Title: "Costs", Active: "/costs", Body: body})
}

// dates gives 'From, to' two days to begin with, when it was just chosen: the last thirty.
func (s *site) dates(q url.Values) {
	if q.Get("range") != "custom" {
		return
	}
	today := s.Clock.Now().UTC()
	if q.Get("to") == "" {
		q.Set("to", today.Format(time.DateOnly))
	}
	if q.Get("from") == "" {
		q.Set("from", today.AddDate(0, 0, -29).Format(time.DateOnly))
	}
}

// mergeFilter folds the three fields of "Add filter" into the f parameters. Parse and Query of the request would refuse
// what is wrong elsewhere in the URL, so this works on the raw query.
func mergeFilter(q url.Values) (url.Values, bool) {
	dimension, value, how := q.Get("fd"), q.Get("fv"), q.Get("fop")
	none := how == "none" || how == "any"
	if dimension == "" || (value == "" && !none) {
		return q, false
	}
	text := dimension + ":" + value
	if none {
		text = dimension + ":"
	}
	if how == "not" || how == "any" {
		text = "-" + text
	}
	out := url.Values{}
	for key, values := range q {
		if key != "fd" && key != "fv" && key != "fop" {
			out[key] = values
		}
	}
	out.Add("f", text)
	return out, true
}

// goTo shows another view of the costs: by redirect, or at once where htmx asks.
func (s *site) goTo(c *call, q url.Values) error {
	if c.partial() {
		c.r.URL.RawQuery = q.Encode()
		return s.costs(c)
	}
	return redirect(c, "/costs?"+q.Encode())
}

// badCosts shows what is wrong with the view's address and offers the default view.
func (s *site) badCosts(c *call, q url.Values, err error) error {
	e, status, err := formProblem(c, err)
	if err != nil {
		return err
	}
	if status >= 500 {
		s.Log.WarnContext(c.r.Context(), "costs could not be read", "error", e)
	}
	return s.show(c, "costs-problem", page{Title: "Costs", Active: "/costs", Status: status, Error: e, Body: map[string]string{"Retry": "/costs?" + q.Encode()}})
}

// costsCSV is the view as CSV: one line per bucket and group, exact amounts.
func (s *site) costsCSV(c *call) error {
	view, err := s.costView(c)
	if err != nil {
		return err
	}
	attach(c, "text/csv; charset=utf-8", view, "csv")
	_ = control.WriteCSV(c.w, control.CostTable(view)) // fails only for somebody who went away
	return nil
}

// costsJSON is the view as JSON, as the API gives it.
func (s *site) costsJSON(c *call) error {
	view, err := s.costView(c)
	if err != nil {
		return err
	}
	attach(c, "application/json", view, "json")
	e := json.NewEncoder(c.w)
	e.SetIndent("", "  ")
	_ = e.Encode(view) // fails only for somebody who went away
	return nil
}

func (s *site) costView(c *call) (control.CostView, error) {
	req, err := control.ParseCostRequest(c.r.URL.Query())
	if err != nil {
		return control.CostView{}, err
	}
	return s.Control.Costs(c.r.Context(), c.actor, req)
}

func attach(c *call, kind string, v control.CostView, ending string) {
	name := fmt.Sprintf("costs-%s-to-%s.%s", v.From.Format("2006-01-02"), v.To.AddDate(0, 0, -1).Format("2006-01-02"), ending)
	c.w.Header().Set("Content-Type", kind)
	c.w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
}

// costValues lists the values of a dimension as <option>s, for the "Add filter" form.
func (s *site) costValues(c *call) error {
	q := c.r.URL.Query()
	req, err := control.ParseCostRequest(q)
	if err != nil {
		return err
	}
	view, err := s.Control.Costs(c.r.Context(), c.actor, control.CostRequest{Range: req.Range, From: req.From, To: req.To, Compare: "none"})
	if err != nil {
		return err
	}
	values, err := s.Control.CostValues(c.r.Context(), c.actor, outlay.Dimension(q.Get("fd")), view.From, view.To)
	if err != nil {
		return err
	}
	var b strings.Builder
	for _, v := range values {
		if v.Key != "" {
			fmt.Fprintf(&b, `<option value="%s">%s</option>`, template.HTMLEscapeString(v.Key), template.HTMLEscapeString(v.Name))
		}
	}
	c.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	c.w.WriteHeader(http.StatusOK)
	_, _ = c.w.Write([]byte(b.String()))
	return nil
}

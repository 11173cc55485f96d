package web

import "outlay"

type auditBody struct {
	Entries []outlay.Entry
	Limit   int
}

// auditLimit is how many entries the page shows.
const auditLimit = 500

// audit lists the newest entries of the audit log.
func (s *site) audit(c *call) error {
	list, err := s.Control.Audit(c.r.Context(), c.actor, auditLimit)
	if err != nil {
		return err
	}
	return s.show(c, "audit", page{Title: "Audit log", Active: "/audit", Body: auditBody{Entries: list, Limit: auditLimit}})
}

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
	s.nameActors(c, list)
	return s.show(c, "audit", page{Title: "Audit log", Active: "/audit", Body: auditBody{Entries: list, Limit: auditLimit}})
}

// nameActors puts names where an entry, written by a worker for somebody, has only the id. It is a courtesy: without
// the list of people the ids stay.
func (s *site) nameActors(c *call, list []outlay.Entry) {
	users, err := s.Control.Users(c.r.Context(), c.actor)
	if err != nil {
		return
	}
	names := map[string]string{}
	for _, u := range users {
		names[u.ID] = u.Name
	}
	for i := range list {
		if list[i].ActorName == "" {
			list[i].ActorName = names[list[i].Actor]
		}
	}
}

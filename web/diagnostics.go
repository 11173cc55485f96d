package web

// diagnostics sends what is known about an account as a ZIP archive.
func (s *site) diagnostics(c *call) error {
	d, err := s.Control.Diagnostics(c.r.Context(), c.actor, c.r.PathValue("id"))
	if err != nil {
		return err
	}
	c.w.Header().Set("Content-Type", "application/zip")
	c.w.Header().Set("Content-Disposition", `attachment; filename="`+d.Name+`"`)
	_, _ = c.w.Write(d.Body) // fails only for somebody who went away
	return nil
}

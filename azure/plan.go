package azure

import "outlay"

// Plan lists the changes from seen to what the source asks for.
func (p *Provider) Plan(_ *outlay.Source, seen outlay.Observation) (outlay.Plan, error) {
	return outlay.Plan{Notes: seen.Notes}, nil
}

package azure

import (
	"context"

	"outlay"
)

// Observe looks at the subscription, and with a source at its resources.
func (p *Provider) Observe(_ context.Context, a *outlay.CloudAccount, _ *outlay.Source, _ outlay.Look) (outlay.Observation, error) {
	if _, err := p.session(a); err != nil {
		return outlay.Observation{}, err
	}
	return outlay.Observation{At: p.opts.Clock.Now()}, nil
}

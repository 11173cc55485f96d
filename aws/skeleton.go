package aws

import (
	"context"
	"iter"

	"outlay"
)

func (p *Provider) About() outlay.ProviderInfo { return outlay.ProviderInfo{Name: Name, Title: "AWS"} }
func (p *Provider) Observe(ctx context.Context, a *outlay.CloudAccount, s *outlay.Source, look outlay.Look) (outlay.Observation, error) {
	return outlay.Observation{}, nil
}
func (p *Provider) Plan(s *outlay.Source, seen outlay.Observation) (outlay.Plan, error) {
	return outlay.Plan{}, nil
}
func (p *Provider) Apply(ctx context.Context, a *outlay.CloudAccount, s *outlay.Source, c outlay.Change) (outlay.Resource, error) {
	return outlay.Resource{}, nil
}
func (p *Provider) Deliveries(ctx context.Context, a *outlay.CloudAccount, s *outlay.Source) iter.Seq2[outlay.Delivery, error] {
	return func(func(outlay.Delivery, error) bool) {}
}
func (p *Provider) Fetch(ctx context.Context, a *outlay.CloudAccount, s *outlay.Source, d outlay.Delivery, dir string) ([]string, error) {
	return nil, nil
}
func (p *Provider) Mapping(format string) (outlay.Mapping, error) { return outlay.Mapping{}, nil }

var _ outlay.Provider = (*Provider)(nil)

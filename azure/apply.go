package azure

import (
	"context"

	"outlay"
)

// Apply makes one change.
func (p *Provider) Apply(_ context.Context, _ *outlay.CloudAccount, _ *outlay.Source, c outlay.Change) (outlay.Resource, error) {
	return outlay.Resource{}, outlay.Errorf(outlay.CodeInvalid, "Make a new plan.", "%s %s is not something that can be done", c.Action, c.Kind)
}

package aws

import (
	"context"

	"outlay"
)

// Existing lists the exports that this credential can see.
func (p *Provider) Existing(_ context.Context, _ *outlay.CloudAccount, _ map[string]string) ([]outlay.Existing, error) {
	return nil, outlay.Errorf(outlay.CodeInvalid, "", "existing exports cannot be listed yet")
}

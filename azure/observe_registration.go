package azure

import (
	"context"

	"outlay"
)

// The resource providers that an export needs in the subscription that holds the storage account (clouds.md §3.3
// step 2). The first is the one that is hardly ever there; the others nearly always are.
const (
	exportsProvider = "Microsoft.CostManagementExports"
	storageProvider = "Microsoft.Storage"
	costProvider    = "Microsoft.CostManagement"
)

// The states of a registration.
const (
	stateRegistered  = "Registered"
	stateRegistering = "Registering"
)

// registrations reads how the providers stand; the common two only before the storage account is made.
func (o *observer) registrations(ctx context.Context) {
	o.registration(ctx, exportsProvider)
	if _, made := ledgerRow(o.s, kindAccount); made {
		return
	}
	o.registration(ctx, storageProvider)
	o.registration(ctx, costProvider)
}

func (o *observer) registration(ctx context.Context, namespace string) {
	state, err := o.ses.registrationState(ctx, namespace)
	if err != nil {
		o.unknown(registrationPart(namespace), err)
		return
	}
	r := outlay.Resource{Kind: kindRegistration, Name: namespace, ProviderID: "/subscriptions/" + o.n.Subscription + "/providers/" + namespace, Properties: map[string]string{propState: state}}
	if state != stateRegistered {
		r.State = outlay.StateMissing
	}
	o.add(r)
}

// registrationPart names a registration among what could not be read: the one that decides stands for its kind.
func registrationPart(namespace string) string {
	if namespace == exportsProvider {
		return string(kindRegistration)
	}
	return string(kindRegistration) + " " + namespace
}

// registrationState is NotRegistered, Registering, Registered or Unregistering.
func (ses session) registrationState(ctx context.Context, namespace string) (string, error) {
	client, err := ses.providers()
	if err != nil {
		return "", err
	}
	got, err := client.Get(ctx, namespace, nil)
	if err != nil {
		return "", failure(err, call{Action: actProvidersRead, Resource: "/subscriptions/" + ses.subscription, Doing: "looking whether " + namespace + " is registered"})
	}
	return text(got.RegistrationState), nil
}

package azure

import (
	"outlay"
)

// The sentences of the registration (ui.md §3.1, architecture.md ruling 14).
const (
	textRegistered   = "This subscription is already registered. Nothing to do for this step."
	textUnregistered = "Exports cannot be created until this subscription is registered. Choose Check for me, or register it yourself."
	textBothMeanings = "Yes registers the subscription; that changes nothing where it is registered already. No means that you have registered it yourself."
)

// registers tells whether the plan may register the subscription for exports.
func (pl *planner) registers() bool {
	r, seen := pl.seen.Find(kindRegistration, exportsProvider)
	return pl.s.Spec != nil && pl.field(fieldRegister) != choiceNo && (!seen || !isRegistered(r))
}

// isRegistered tells whether a provider is registered, or about to be: neither takes a call of ours.
func isRegistered(r outlay.Resource) bool {
	return r.Properties[propState] == stateRegistered || r.Properties[propState] == stateRegistering
}

// registrations plans the registration of what is not registered. Registering what is registered already is harmless
// with Azure, so that no run fails of it.
func (pl *planner) registrations() {
	pl.registration(exportsProvider)
	for _, namespace := range []string{storageProvider, costProvider} {
		if r, seen := pl.seen.Find(kindRegistration, namespace); seen && r.Properties[propState] != stateRegistered {
			pl.registration(namespace)
		}
	}
}

func (pl *planner) registration(namespace string) {
	c := outlay.Change{
		Action: outlay.ActionUpdate, Kind: kindRegistration, Name: namespace, Title: "Registration of " + namespace, Detail: "In subscription " + pl.n.Subscription + "; it stays when billing is deprovisioned",
		Step: "Register " + namespace, To: map[string]string{propState: stateRegistered}, Needs: []string{actProvidersRead, registerAction(namespace)},
	}
	choice := pl.field(fieldRegister)
	if pl.unknown(kindRegistration) && namespace == exportsProvider {
		pl.unreadRegistration(c, choice)
		return
	}
	seen, looked := pl.seen.Find(kindRegistration, namespace)
	state := seen.Properties[propState]
	switch {
	case !looked: // the look did not ask for it
	case state == stateRegistered && choice == choiceYes:
		pl.add(keep(c, textRegistered))
	case state == stateRegistered:
		pl.add(keep(c, "Registered already"))
	case state == stateRegistering:
		c.Step, c.From = "Wait until "+namespace+" is registered", map[string]string{propState: state}
		pl.add(c)
	case choice == choiceNo && namespace == exportsProvider:
		pl.note("block", "%s", textUnregistered)
	case choice == choiceNo:
		pl.note("block", "The subscription is not registered for %s. Choose Check for me, or register it yourself.", namespace)
	default:
		c.From = map[string]string{propState: state}
		pl.add(c)
	}
}

// unreadRegistration is about a subscription whose registration could not be read: the person knows, or lets us try.
func (pl *planner) unreadRegistration(c outlay.Change, choice string) {
	why := pl.seen.Unknown[string(kindRegistration)]
	switch choice {
	case choiceYes:
		pl.note("info", "Outlay could not look whether the subscription is registered: %s. It will be registered.", why)
		pl.add(c)
	case choiceNo:
		pl.note("info", "Outlay could not look whether the subscription is registered: %s. It goes on, as you have registered it yourself.", why)
	default:
		pl.note("block", "Outlay could not look whether the subscription is registered: %s. Allow it, or choose Yes or No. %s", why, textBothMeanings)
	}
}

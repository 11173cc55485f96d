package azure

import "encoding/json"

// ProvisionerRole is the custom role that a credential needs to provision, watch, read and deprovision
// (clouds.md §3.8). subscription may be a placeholder before it is known.
func ProvisionerRole(subscription string) string { return role(subscription, nil) }

func role(subscription string, actions []string) string {
	b, err := json.MarshalIndent(map[string]any{"Name": "outlay billing provisioner", "Actions": actions, "AssignableScopes": []string{"/subscriptions/" + subscription}}, "", "  ")
	if err != nil {
		panic(err) // plain data always marshals
	}
	return string(b)
}

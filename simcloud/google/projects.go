package google

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

func projectRoutes() []route {
	return []route{
		on("cloudresourcemanager.projects.testIamPermissions", "POST", "/v3/projects/{p}:testIamPermissions", (*Cloud).testProjectPermissions),
		on("cloudresourcemanager.projects.get", "GET", "/v3/projects/{p}", (*Cloud).getProject),
		on("cloudresourcemanager.projects.search", "GET", "/v3/projects:search", (*Cloud).searchProjects),
	}
}

// wire is a project as Resource Manager v3 gives it.
func (p *project) wire() obj {
	out := obj{
		"name": "projects/" + p.Number, "projectId": p.ID, "displayName": p.Name, "parent": p.Parent, "state": p.State, "etag": `W/"` + p.Number + `"`,
		"createTime": p.Created.Format(time.RFC3339Nano), "updateTime": p.Created.Format(time.RFC3339Nano),
	}
	if len(p.Labels) > 0 {
		out["labels"] = p.Labels
	}
	return out
}

// projectOf finds a project by its id or number.
func (c *Cloud) projectOf(name string) *project {
	if p := c.state.Projects[name]; p != nil {
		return p
	}
	for _, p := range c.state.Projects {
		if p.Number == name {
			return p
		}
	}
	return nil
}

// resource names a project by its id, whichever way it was asked for.
func (c *Cloud) resource(name string) string {
	if p := c.projectOf(name); p != nil {
		return "projects/" + p.ID
	}
	return "projects/" + name
}

// getProject answers 403 for a project that does not exist, as Google does.
func (c *Cloud) getProject(k *call) (answer, *refusal) {
	if fail := c.need(k, "resourcemanager.projects.get", c.resource(k.parts[0])); fail != nil {
		return answer{}, fail
	}
	p := c.projectOf(k.parts[0])
	if p == nil {
		return answer{}, refuse(http.StatusForbidden, "forbidden", "The caller does not have permission")
	}
	return ok(p.wire())
}

func (c *Cloud) searchProjects(k *call) (answer, *refusal) {
	found := []any{}
	for _, id := range slices.Sorted(maps.Keys(c.state.Projects)) {
		if c.allowed(k.Caller, "resourcemanager.projects.get", "projects/"+id) {
			found = append(found, c.state.Projects[id].wire())
		}
	}
	return ok(obj{"projects": found})
}

func (c *Cloud) testProjectPermissions(k *call) (answer, *refusal) {
	if c.projectOf(k.parts[0]) == nil {
		return answer{}, refuse(http.StatusForbidden, "forbidden", "The caller does not have permission")
	}
	return c.testPermissions(k, c.resource(k.parts[0]), true)
}

// serviceName is the host of the service that a call goes to.
func serviceName(service string) string { return service + ".googleapis.com" }

// serviceOn refuses calls to a service that is off in the project that pays for the call: BigQuery's is in the path, the
// others' is the service account's own, or the one that x-goog-user-project names. A service just enabled is found
// disabled for a while (clouds.md §4.3).
func (c *Cloud) serviceOn(k *call) *refusal {
	name := serviceName(k.service())
	pays := k.Caller.Project
	if quota := k.R.Header.Get("X-Goog-User-Project"); quota != "" {
		pays = quota
	}
	if k.service() == "bigquery" && len(k.parts) > 0 {
		pays = k.parts[0]
	}
	p := c.projectOf(pays)
	if p == nil {
		return nil // the call itself says what is missing
	}
	if p.Services[name] && p.Waking[name] == 0 {
		return nil
	}
	if p.Services[name] {
		p.Waking[name]--
	}
	title := map[string]string{
		"bigquery": "BigQuery API", "cloudbilling": "Cloud Billing API", "cloudresourcemanager": "Cloud Resource Manager API", "serviceusage": "Service Usage API",
	}[k.service()]
	link := "https://console.developers.google.com/apis/api/" + name + "/overview?project=" + p.ID
	f := refuse(http.StatusForbidden, "accessNotConfigured", "%s has not been used in project %s before or it is disabled. Enable it by visiting %s then retry. If you enabled this API recently, wait a few minutes for the action to propagate to our systems and retry.", title, p.Number, link)
	f.details = []any{
		obj{
			"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "SERVICE_DISABLED", "domain": "googleapis.com",
			"metadata": obj{"service": name, "consumer": "projects/" + p.Number, "serviceTitle": title, "activationUrl": link, "containerInfo": p.Number},
		},
		obj{"@type": "type.googleapis.com/google.rpc.Help", "links": []any{obj{"description": "Google developers console API activation", "url": link}}},
	}
	return f
}

// isService tells whether a name has the shape of a service.
func isService(name string) bool { return strings.HasSuffix(name, ".googleapis.com") }

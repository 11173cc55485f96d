package google

import (
	"maps"
	"net/http"
	"slices"
	"strings"
)

func serviceRoutes() []route {
	return []route{
		on("serviceusage.services.get", "GET", "/v1/projects/{p}/services/{s}", (*Cloud).getService),
		on("serviceusage.services.list", "GET", "/v1/projects/{p}/services", (*Cloud).listServices),
		on("serviceusage.services.batchGet", "GET", "/v1/projects/{p}/services:batchGet", (*Cloud).batchGetServices),
		on("serviceusage.services.batchEnable", "POST", "/v1/projects/{p}/services:batchEnable", (*Cloud).batchEnableServices).changing(),
		on("serviceusage.services.enable", "POST", "/v1/projects/{p}/services/{s}:enable", (*Cloud).enableService).changing(),
		on("serviceusage.operations.get", "GET", "/v1/operations/{o}", (*Cloud).getOperation).changing(),
	}
}

func (p *project) serviceWire(name string) obj {
	state := "DISABLED"
	if p.Services[name] {
		state = "ENABLED"
	}
	return obj{"name": "projects/" + p.Number + "/services/" + name, "parent": "projects/" + p.Number, "state": state, "config": obj{"name": name, "title": name}}
}

func (c *Cloud) getService(k *call) (answer, *refusal) {
	p, fail := c.serviceProject(k, "serviceusage.services.get")
	if fail != nil {
		return answer{}, fail
	}
	if fail := knownServices(p, k.parts[1]); fail != nil {
		return answer{}, fail
	}
	return ok(p.serviceWire(k.parts[1]))
}

func (c *Cloud) serviceProject(k *call, permission string) (*project, *refusal) {
	if fail := c.need(k, permission, c.resource(k.parts[0])); fail != nil {
		return nil, fail
	}
	p := c.projectOf(k.parts[0])
	if p == nil {
		return nil, refuse(http.StatusForbidden, "forbidden", "Permission denied to get service")
	}
	return p, nil
}

func knownServices(p *project, names ...string) *refusal {
	for _, name := range names {
		if !isService(name) {
			return refuse(http.StatusBadRequest, "invalid", "Not found or permission denied for service(s): %s.", name)
		}
	}
	if len(names) == 0 || len(names) > 30 {
		return refuse(http.StatusBadRequest, "invalid", "Between 1 and 30 services can be named at once, project %s.", p.ID)
	}
	return nil
}

// listServices gives the enabled ones when asked for state:ENABLED, otherwise all that were ever mentioned.
func (c *Cloud) listServices(k *call) (answer, *refusal) {
	p, fail := c.serviceProject(k, "serviceusage.services.list")
	if fail != nil {
		return answer{}, fail
	}
	out := []any{}
	for _, name := range slices.Sorted(maps.Keys(p.Services)) {
		if p.Services[name] || k.Query.Get("filter") != "state:ENABLED" {
			out = append(out, p.serviceWire(name))
		}
	}
	return ok(obj{"services": out})
}

func (c *Cloud) batchGetServices(k *call) (answer, *refusal) {
	p, fail := c.serviceProject(k, "serviceusage.services.get")
	if fail != nil {
		return answer{}, fail
	}
	out := []any{}
	for _, full := range k.Query["names"] {
		_, name, found := strings.Cut(full, "/services/")
		if !found {
			return answer{}, refuse(http.StatusBadRequest, "invalid", "Invalid name: %s", full)
		}
		if fail := knownServices(p, name); fail != nil {
			return answer{}, fail
		}
		out = append(out, p.serviceWire(name))
	}
	return ok(obj{"services": out})
}

func (c *Cloud) batchEnableServices(k *call) (answer, *refusal) {
	var in struct{ ServiceIds []string }
	if fail := k.decode(&in); fail != nil {
		return answer{}, fail
	}
	if len(in.ServiceIds) > 20 {
		return answer{}, refuse(http.StatusBadRequest, "invalid", "A single request can enable a maximum of 20 services at a time.")
	}
	return c.enable(k, in.ServiceIds...)
}

func (c *Cloud) enableService(k *call) (answer, *refusal) { return c.enable(k, k.parts[1]) }

// enable turns services on; nothing to do gives Google's operation that is done from the start.
func (c *Cloud) enable(k *call, services ...string) (answer, *refusal) {
	p, fail := c.serviceProject(k, "serviceusage.services.enable")
	if fail != nil {
		return answer{}, fail
	}
	if fail := knownServices(p, services...); fail != nil {
		return answer{}, fail
	}
	if p.BillingAccount == "" && slices.Contains(services, "compute.googleapis.com") {
		return answer{}, refuse(http.StatusBadRequest, "failedPrecondition", "Billing account for project '%s' is not found. Billing must be enabled for activation of service(s) to proceed.", p.Number)
	}
	off := slices.DeleteFunc(slices.Clone(services), func(s string) bool { return p.Services[s] })
	e := &enabling{Name: "operations/noop.DONE_OPERATION", Project: p.ID, Services: services}
	if len(off) > 0 {
		e.Name, e.Looks = "operations/acat.p2-"+p.Number+"-"+c.state.ID(32), c.opt.SlowEnable
		c.state.Operations[e.Name] = e
		for _, s := range off {
			p.Services[s], p.Waking[s] = true, c.opt.EnableLag
		}
	}
	return ok(c.operationWire(e))
}

// operationWire is a long-running operation; the response of one that is done lists the services.
func (c *Cloud) operationWire(e *enabling) obj {
	if e.Looks > 0 {
		return obj{"name": e.Name, "metadata": obj{"@type": "type.googleapis.com/google.api.serviceusage.v1.OperationMetadata", "resourceNames": []any{}}}
	}
	services := []any{}
	for _, s := range e.Services {
		services = append(services, c.state.Projects[e.Project].serviceWire(s))
	}
	return obj{"name": e.Name, "done": true, "response": obj{"@type": "type.googleapis.com/google.api.serviceusage.v1.BatchEnableServicesResponse", "services": services}}
}

func (c *Cloud) getOperation(k *call) (answer, *refusal) {
	e := c.state.Operations["operations/"+k.parts[0]]
	if e == nil {
		return answer{}, refuse(http.StatusForbidden, "forbidden", "Permission denied to get operation %s (or it may not exist)", k.parts[0])
	}
	if fail := c.need(k, "serviceusage.operations.get", "projects/"+e.Project); fail != nil {
		return answer{}, fail
	}
	e.Looks = max(0, e.Looks-1)
	return ok(c.operationWire(e))
}

package azure

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// export is one scheduled or idle cost export.
type export struct {
	Scope      string // as written, with a leading slash
	Name       string
	ETag       string
	Location   string
	Principal  string // object id of its system-assigned identity; "" for none
	Tenant     string
	Created    time.Time
	CreatedBy  string
	Changed    time.Time
	Properties exportProperties
	Suspended  string // why Azure suspended it; "" for not
	Hidden     int    // reads that do not see it yet
	Foreign    bool
	Runs       []*run               // oldest first
	Deliveries int                  // scheduled ones
	Through    map[string]time.Time // by period: where its data end
	AskedAt    []time.Time          // the runs asked for lately
}

// exportProperties are written as they were put. What Azure adds is added when it answers.
type exportProperties struct {
	Definition    exportDefinition `json:"definition"`
	DeliveryInfo  deliveryInfo     `json:"deliveryInfo"`
	Schedule      *exportSchedule  `json:"schedule,omitempty"`
	Format        string           `json:"format,omitempty"`
	Compression   string           `json:"compressionMode,omitempty"`
	PartitionData *bool            `json:"partitionData,omitempty"`
	Overwrite     string           `json:"dataOverwriteBehavior,omitempty"`
	Description   string           `json:"exportDescription,omitempty"`
}

type exportDefinition struct {
	Type       string         `json:"type"`
	Timeframe  string         `json:"timeframe"`
	TimePeriod *timePeriod    `json:"timePeriod,omitempty"`
	DataSet    *exportDataset `json:"dataSet,omitempty"`
}

type exportDataset struct {
	Granularity   string               `json:"granularity,omitempty"`
	Configuration *exportConfiguration `json:"configuration,omitempty"`
}

type exportConfiguration struct {
	Columns     []string `json:"columns,omitempty"`
	DataVersion string   `json:"dataVersion,omitempty"`
}

type timePeriod struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

type deliveryInfo struct {
	Destination destination `json:"destination"`
}

type destination struct {
	Type           string `json:"type,omitempty"`
	ResourceID     string `json:"resourceId,omitempty"`
	Container      string `json:"container"`
	RootFolderPath string `json:"rootFolderPath,omitempty"`
	SasToken       string `json:"sasToken,omitempty"`
	StorageAccount string `json:"storageAccount,omitempty"`
}

type exportSchedule struct {
	Status           string      `json:"status,omitempty"`
	Recurrence       string      `json:"recurrence,omitempty"`
	RecurrencePeriod *timePeriod `json:"recurrencePeriod,omitempty"`
}

type exportBody struct {
	ETag     string `json:"eTag"`
	Identity *struct {
		Type string `json:"type"`
	} `json:"identity"`
	Location   string           `json:"location"`
	Properties exportProperties `json:"properties"`
}

func (e *export) id() string {
	return e.Scope + "/providers/Microsoft.CostManagement/exports/" + e.Name
}

// active tells whether the schedule runs.
func (e *export) active() bool {
	return e.Suspended == "" && e.Properties.Schedule != nil && strings.EqualFold(e.Properties.Schedule.Status, "Active")
}

// wire is the export as an answer, with its last runs.
func (c *Cloud) wire(e *export, runs int) object {
	p := object{
		"definition": e.Properties.Definition, "deliveryInfo": e.Properties.DeliveryInfo, "format": e.Properties.Format, "exportDescription": e.Properties.Description,
		"partitionData": e.Properties.PartitionData != nil && *e.Properties.PartitionData, "compressionMode": e.Properties.Compression, "dataOverwriteBehavior": e.Properties.Overwrite,
	}
	if s := e.Properties.Schedule; s != nil {
		p["schedule"] = s
		if e.active() {
			p["nextRunTimeEstimate"] = wireTime(c.opt.Now().Add(12 * time.Hour))
		}
	}
	if e.Suspended != "" {
		p["systemSuspensionContext"] = object{"suspensionCode": e.Suspended, "suspensionReason": "The export was suspended.", "suspensionTime": wireTime(e.Changed)}
	}
	if runs > 0 {
		p["runHistory"] = object{"value": c.history(e, runs)}
	}
	out := object{
		"id": e.id(), "name": e.Name, "type": "Microsoft.CostManagement/exports", "eTag": e.ETag, "properties": p,
		"systemData": object{"createdAt": wireTime(e.Created), "createdBy": e.CreatedBy, "createdByType": "Application", "lastModifiedAt": wireTime(e.Changed), "lastModifiedByType": "Application"},
	}
	if e.Principal != "" {
		out["identity"], out["location"] = object{"type": "SystemAssigned", "principalId": e.Principal, "tenantId": e.Tenant}, e.Location
	}
	return out
}

func (c *Cloud) exportAt(scope, name string) *export {
	for _, e := range c.state.Exports {
		if normal(e.Scope) == normal(scope) && strings.EqualFold(e.Name, name) {
			return e
		}
	}
	return nil
}

// oldVersion tells that the caller uses an API version which does not see exports of today (clouds.md §3.1).
func (k *call) oldVersion() bool { return k.Query.Get("api-version") < "2023-07-01" }

// liveExport finds the export in the path.
func (c *Cloud) liveExport(k *call, actions ...string) (costScope, *export, *refusal) {
	s, fail := c.scopeOf(k)
	if fail == nil {
		fail = c.needAt(k, s, actions...)
	}
	if fail != nil {
		return s, nil, fail
	}
	e := c.exportAt(s.ID, k.P["name"])
	if e == nil || k.oldVersion() {
		return s, nil, noExport(k, s)
	}
	return s, e, nil
}

func noExport(k *call, s costScope) *refusal {
	return refuse(http.StatusNotFound, "ResourceNotFound", "The Resource '%s/providers/Microsoft.CostManagement/exports/%s' was not found.", s.ID, k.P["name"])
}

func (c *Cloud) getExport(k *call) (answer, *refusal) {
	s, e, fail := c.liveExport(k, "Microsoft.CostManagement/exports/read")
	if fail == nil && hides(&e.Hidden) {
		fail = noExport(k, s)
	}
	if fail != nil {
		return answer{}, fail
	}
	runs := 0
	if strings.EqualFold(k.Query.Get("$expand"), "runHistory") {
		runs = 10
	}
	return jsonAnswer(http.StatusOK, c.wire(e, runs))
}

func (c *Cloud) listExports(k *call) (answer, *refusal) {
	s, fail := c.scopeOf(k)
	if fail == nil {
		fail = c.needAt(k, s, "Microsoft.CostManagement/exports/read")
	}
	if fail != nil {
		return answer{}, fail
	}
	runs := 0
	if strings.EqualFold(k.Query.Get("$expand"), "runHistory") {
		runs = 1
	}
	out := []object{}
	for _, e := range c.state.Exports {
		if normal(e.Scope) == normal(s.ID) && !k.oldVersion() && !hides(&e.Hidden) {
			out = append(out, c.wire(e, runs))
		}
	}
	return jsonAnswer(http.StatusOK, object{"value": out})
}

func (c *Cloud) putExport(k *call) (answer, *refusal) {
	s, fail := c.scopeOf(k)
	if fail == nil {
		fail = c.needAt(k, s, "Microsoft.CostManagement/exports/write")
	}
	if fail != nil {
		return answer{}, fail
	}
	var in exportBody
	if fail := k.decode(&in); fail != nil {
		return answer{}, fail
	}
	old := c.exportAt(s.ID, k.P["name"])
	if fail := checkETag(k, old, in.ETag); fail != nil {
		return answer{}, fail
	}
	if fail := c.checkExport(k, s, in, old); fail != nil {
		return answer{}, fail
	}
	status, e := http.StatusOK, old
	if old == nil {
		status = http.StatusCreated
		e = &export{Scope: s.ID, Name: k.P["name"], Created: c.opt.Now(), CreatedBy: k.Caller.ClientID, Through: map[string]time.Time{}, Hidden: c.opt.ReadLag}
		c.state.Exports = append(c.state.Exports, e)
	}
	e.Properties, e.Changed, e.ETag = in.Properties, c.opt.Now(), `"`+c.state.ID(15)+`"`
	c.giveIdentity(k, e, in)
	return jsonAnswer(status, c.wire(e, 0))
}

// checkETag refuses a change of what the caller has not seen in its present form.
func checkETag(k *call, old *export, given string) *refusal {
	switch {
	case old != nil && k.R.Header.Get("If-None-Match") == "*":
		return refuse(http.StatusPreconditionFailed, "PreconditionFailed", "The resource exists already.")
	case old != nil && given != old.ETag:
		return refuse(http.StatusPreconditionFailed, "412", "The eTag of the request does not match the latest eTag of the export. Get the latest version and try again.")
	case old == nil && given != "":
		return refuse(http.StatusBadRequest, "400", "An export that is created has no eTag yet.")
	}
	return nil
}

// giveIdentity makes the export's identity and lets it write into the storage account, as Azure does.
func (c *Cloud) giveIdentity(k *call, e *export, in exportBody) {
	if in.Identity == nil || !strings.EqualFold(in.Identity.Type, "SystemAssigned") {
		return
	}
	if e.Principal == "" {
		a := c.newApp(k.Caller.Tenant, "identity of "+e.Name)
		e.Principal, e.Tenant, e.Location = a.ObjectID, a.Tenant, in.Location
	}
	scope := in.Properties.DeliveryInfo.Destination.ResourceID
	const contributor = "ba92f5b4-2d11-453d-a403-e96b0029c9fe"
	for _, g := range c.state.Grants {
		if g.Principal == e.Principal && g.Scope == normal(scope) {
			return
		}
	}
	role, _ := builtIn(contributor)
	c.assign(e.Principal, scope, contributor, role).Unseen = 0
}

// deleteExport leaves the role assignment of its identity behind, as Azure does.
func (c *Cloud) deleteExport(k *call) (answer, *refusal) {
	_, e, fail := c.liveExport(k, "Microsoft.CostManagement/exports/delete")
	if fail != nil {
		return answer{}, fail
	}
	if fail := c.locked(e.id()); fail != nil {
		return answer{}, fail
	}
	c.dropExport(e)
	if c.opt.DeleteNoContent {
		return empty(http.StatusNoContent)
	}
	return empty(http.StatusOK)
}

func (c *Cloud) dropExport(e *export) {
	c.state.Exports = slices.DeleteFunc(c.state.Exports, func(x *export) bool { return x == e })
	if a := c.appOf(e.Principal); a != nil {
		delete(c.state.Apps, a.ClientID)
	}
}

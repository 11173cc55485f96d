package aws

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

func iamOperations() map[string]operation {
	return map[string]operation{
		"SimulatePrincipalPolicy": {run: (*Cloud).simulatePrincipalPolicy},
		"GetRole":                 {run: (*Cloud).getRole},
		"GetUser":                 {run: (*Cloud).getUser},
	}
}

// members reads a list of the query protocol: Name.member.1, Name.member.2, …
func members(form url.Values, name string) []string {
	var out []string
	for i := 1; form.Has(fmt.Sprintf("%s.member.%d", name, i)); i++ {
		out = append(out, form.Get(fmt.Sprintf("%s.member.%d", name, i)))
	}
	return out
}

type simulation struct {
	XMLName xml.Name           `xml:"https://iam.amazonaws.com/doc/2010-05-08/ SimulatePrincipalPolicyResponse"`
	Results []simulationResult `xml:"SimulatePrincipalPolicyResult>EvaluationResults>member"`
	More    bool               `xml:"SimulatePrincipalPolicyResult>IsTruncated"`
	Meta    responseMeta       `xml:"ResponseMetadata"`
}

type simulationResult struct {
	EvalActionName   string
	EvalDecision     string
	EvalResourceName string
	Organizations    *orgDetail               `xml:"OrganizationsDecisionDetail"`
	Specific         []resourceSpecificResult `xml:"ResourceSpecificResults>member"`
}

type orgDetail struct{ AllowedByOrganizations bool }

type resourceSpecificResult struct{ EvalResourceName, EvalResourceDecision string }

// simulatePrincipalPolicy answers from the table that guards the calls. It does not look into bucket policies, as the
// real simulator does not, and refuses the root user and sessions (clouds.md §2.7).
func (c *Cloud) simulatePrincipalPolicy(k *call) (answer, *refusal) {
	source := k.Form.Get("PolicySourceArn")
	if fail := c.need(k, "iam:SimulatePrincipalPolicy", source); fail != nil {
		return answer{}, fail
	}
	p := c.state.Principals[source]
	if p == nil || p.Kind == kindRoot || p.Account != k.Caller.Account {
		if strings.Contains(source, ":assumed-role/") || strings.HasSuffix(source, ":root") {
			return answer{}, refuse(http.StatusBadRequest, "InvalidInput", "Invalid Entity Arn: %s does not clearly define entity type and name.", source)
		}
		return answer{}, refuse(http.StatusNotFound, "NoSuchEntity", "No such entity: %s", source)
	}
	resources := members(k.Form, "ResourceArns")
	if len(resources) == 0 {
		resources = []string{"*"}
	}
	out := simulation{Meta: responseMeta{k.ID}}
	for _, action := range members(k.Form, "ActionNames") {
		out.Results = append(out.Results, c.simulate(p, action, resources, contextOf(k.Form)))
	}
	if len(out.Results) == 0 {
		return answer{}, refuse(http.StatusBadRequest, "ValidationError", "1 validation error detected: Value null at 'actionNames' failed to satisfy constraint: Member must not be null")
	}
	return xmlAnswer(out)
}

func (c *Cloud) simulate(p *principal, action string, resources []string, context map[string]string) simulationResult {
	out := simulationResult{EvalActionName: action, EvalDecision: allowed, EvalResourceName: resources[0]}
	if len(resources) > 1 {
		out.EvalResourceName = resourceTemplate(c.opt.Partition, action)
	}
	byOrg := false
	for _, r := range resources {
		d := c.decide(p, ask{action: action, resource: r, context: context})
		out.Specific = append(out.Specific, resourceSpecificResult{r, d.text})
		if d.text != allowed && out.EvalDecision != explicitDeny {
			out.EvalDecision = d.text
		}
		byOrg = byOrg || d.byOrg
	}
	if c.state.Accounts[p.Account].OrgID != "" {
		out.Organizations = &orgDetail{!byOrg}
	}
	return out
}

// resourceTemplate is what the top-level EvalResourceName holds: a template, not one of the ARNs asked for (SDK
// comment in iam types).
func resourceTemplate(partition, action string) string {
	service, _, _ := strings.Cut(action, ":")
	if service == "s3" {
		return "arn:" + partition + ":s3:::${BucketName}"
	}
	return "*"
}

// contextOf reads ContextEntries.member.N.
func contextOf(form url.Values) map[string]string {
	out := map[string]string{}
	for i := 1; form.Has(fmt.Sprintf("ContextEntries.member.%d.ContextKeyName", i)); i++ {
		entry := fmt.Sprintf("ContextEntries.member.%d.", i)
		out[strings.ToLower(form.Get(entry+"ContextKeyName"))] = form.Get(entry + "ContextKeyValues.member.1")
	}
	return out
}

type iamEntity struct {
	Path       string
	RoleName   string `xml:",omitempty"`
	RoleId     string `xml:",omitempty"`
	UserName   string `xml:",omitempty"`
	UserId     string `xml:",omitempty"`
	Arn        string
	CreateDate string
	Trust      string `xml:"AssumeRolePolicyDocument,omitempty"`
}

type getRoleResponse struct {
	XMLName xml.Name     `xml:"https://iam.amazonaws.com/doc/2010-05-08/ GetRoleResponse"`
	Role    iamEntity    `xml:"GetRoleResult>Role"`
	Meta    responseMeta `xml:"ResponseMetadata"`
}

// getRole finds a role by its name alone, whatever its path.
func (c *Cloud) getRole(k *call) (answer, *refusal) {
	name := k.Form.Get("RoleName")
	p := c.named(k.Caller.Account, kindRole, name)
	arn := "arn:" + c.opt.Partition + ":iam::" + k.Caller.Account + ":role/" + name
	if p != nil {
		arn = p.ARN
	}
	if fail := c.need(k, "iam:GetRole", arn); fail != nil {
		return answer{}, fail
	}
	if p == nil {
		return answer{}, refuse(http.StatusNotFound, "NoSuchEntity", "The role with name %s cannot be found.", name)
	}
	return xmlAnswer(getRoleResponse{Meta: responseMeta{k.ID}, Role: iamEntity{
		Path: p.Path, RoleName: p.Name, RoleId: p.ID, Arn: p.ARN, CreateDate: xmlTime(p.Created), Trust: url.QueryEscape(trustDocument(p)),
	}})
}

// trustDocument is the role's trust policy; GetRole gives it percent-encoded.
func trustDocument(p *principal) string {
	condition := ""
	if p.ExternalID != "" {
		condition = fmt.Sprintf(`,"Condition":{"StringEquals":{"sts:ExternalId":%q}}`, p.ExternalID)
	}
	return fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":%q},"Action":"sts:AssumeRole"%s}]}`, strings.Join(p.Trusted, ","), condition)
}

type getUserResponse struct {
	XMLName xml.Name     `xml:"https://iam.amazonaws.com/doc/2010-05-08/ GetUserResponse"`
	User    iamEntity    `xml:"GetUserResult>User"`
	Meta    responseMeta `xml:"ResponseMetadata"`
}

func (c *Cloud) getUser(k *call) (answer, *refusal) {
	name := k.Form.Get("UserName")
	p := c.named(k.Caller.Account, kindUser, name)
	if name == "" && k.Caller.Kind == kindUser {
		p = k.Caller
	}
	arn := "arn:" + c.opt.Partition + ":iam::" + k.Caller.Account + ":user/" + name
	if p != nil {
		arn = p.ARN
	}
	if fail := c.need(k, "iam:GetUser", arn); fail != nil {
		return answer{}, fail
	}
	if p == nil {
		return answer{}, refuse(http.StatusNotFound, "NoSuchEntity", "The user with name %s cannot be found.", name)
	}
	return xmlAnswer(getUserResponse{Meta: responseMeta{k.ID}, User: iamEntity{
		Path: p.Path, UserName: p.Name, UserId: p.ID, Arn: p.ARN, CreateDate: xmlTime(p.Created),
	}})
}

func (c *Cloud) named(account string, kind principalKind, name string) *principal {
	for _, p := range c.state.Principals {
		if p.Account == account && p.Kind == kind && p.Name == name {
			return p
		}
	}
	return nil
}

package aws

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

func organizationsOperations() map[string]operation {
	return map[string]operation{
		"DescribeOrganization": {run: (*Cloud).describeOrganization},
		"ListAccounts":         {run: (*Cloud).listAccounts},
	}
}

// organizationOf refuses for accounts that stand alone.
func (c *Cloud) organizationOf(k *call) (*account, *refusal) {
	a := c.state.Accounts[k.Caller.Account]
	if a.OrgID == "" {
		return nil, refuse(http.StatusBadRequest, "AWSOrganizationsNotInUseException", "Your account is not a member of an organization.")
	}
	return a, nil
}

func (c *Cloud) describeOrganization(k *call) (answer, *refusal) {
	if fail := c.need(k, "organizations:DescribeOrganization", "*"); fail != nil {
		return answer{}, fail
	}
	a, fail := c.organizationOf(k)
	if fail != nil {
		return answer{}, fail
	}
	payer := c.state.Accounts[a.Payer]
	return jsonAnswer(map[string]any{"Organization": map[string]any{
		"Id": a.OrgID, "FeatureSet": "ALL",
		"Arn":                fmt.Sprintf("arn:%s:organizations::%s:organization/%s", c.opt.Partition, payer.ID, a.OrgID),
		"MasterAccountArn":   c.accountARN(payer),
		"MasterAccountId":    payer.ID,
		"MasterAccountEmail": payer.Email,
	}})
}

func (c *Cloud) accountARN(a *account) string {
	return fmt.Sprintf("arn:%s:organizations::%s:account/%s/%s", c.opt.Partition, a.Payer, a.OrgID, a.ID)
}

// listAccounts is for the payer only; members are refused (they lack a delegated administrator's rights).
func (c *Cloud) listAccounts(k *call) (answer, *refusal) {
	if fail := c.need(k, "organizations:ListAccounts", "*"); fail != nil {
		return answer{}, fail
	}
	a, fail := c.organizationOf(k)
	if fail != nil {
		return answer{}, fail
	}
	if a.Payer != a.ID {
		return answer{}, refuse(http.StatusBadRequest, "AccessDeniedException", "You don't have permissions to access this resource.")
	}
	var in struct {
		NextToken  string
		MaxResults int
	}
	if fail := k.decode(&in); fail != nil {
		return answer{}, fail
	}
	all := c.membersOf(a.ID)
	page, next, fail := paged(all, in.NextToken, in.MaxResults, 20)
	if fail != nil {
		return answer{}, fail
	}
	list := []map[string]any{}
	for _, m := range page {
		list = append(list, map[string]any{
			"Id": m.ID, "Arn": c.accountARN(m), "Email": m.Email, "Name": m.Name, "Status": "ACTIVE",
			"JoinedMethod": "CREATED", "JoinedTimestamp": float64(m.Created.Unix()),
		})
	}
	out := map[string]any{"Accounts": list}
	if next != "" {
		out["NextToken"] = next
	}
	return jsonAnswer(out)
}

// membersOf lists the accounts that a payer pays for, itself included, by id.
func (c *Cloud) membersOf(payer string) []*account {
	var out []*account
	for _, a := range c.state.Accounts {
		if a.Payer == payer {
			out = append(out, a)
		}
	}
	slices.SortFunc(out, func(a, b *account) int { return strings.Compare(a.ID, b.ID) })
	return out
}

// paged cuts one page out of a list. Tokens are positions, in words that no other call gives out.
func paged[T any](all []T, token string, size, most int) (page []T, next string, fail *refusal) {
	from := 0
	if token != "" {
		n, err := strconv.Atoi(strings.TrimPrefix(token, "page-"))
		if err != nil || n < 0 || n > len(all) {
			return nil, "", refuse(http.StatusBadRequest, "InvalidNextTokenException", "The next token is not valid.")
		}
		from = n
	}
	if size <= 0 || size > most {
		size = most
	}
	to := min(from+size, len(all))
	if to < len(all) {
		next = fmt.Sprintf("page-%d", to)
	}
	return all[from:to], next, nil
}

package aws

import (
	"strings"

	"outlay"
)

// arn is a name of AWS, arn:partition:service:region:account:resource, taken apart.
type arn struct{ Partition, Service, Region, Account, Resource string }

// parseARN takes a name apart; CodeInvalid when it is none. The partition must be one that AWS has.
func parseARN(s string) (arn, error) {
	parts := strings.SplitN(s, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" || parts[2] == "" || parts[5] == "" || strings.ContainsAny(s, " \t\r\n\x00") {
		return arn{}, outlay.Errorf(outlay.CodeInvalid, "An ARN looks like arn:aws:iam::123456789012:role/outlay.", "%q is not an ARN", clip(s, 100))
	}
	switch parts[1] {
	case "aws", "aws-cn", "aws-us-gov", "aws-eusc":
	default:
		return arn{}, outlay.Errorf(outlay.CodeInvalid, "The second part of an ARN is aws, aws-cn, aws-us-gov or aws-eusc.", "%q is in a partition that Outlay does not know", clip(s, 100))
	}
	return arn{Partition: parts[1], Service: parts[2], Region: parts[3], Account: parts[4], Resource: parts[5]}, nil
}

// String puts the name together again.
func (a arn) String() string {
	return strings.Join([]string{"arn", a.Partition, a.Service, a.Region, a.Account, a.Resource}, ":")
}

// parseRoleARN reads the ARN of a role: an account of 12 digits and a name.
func parseRoleARN(s string) (arn, error) {
	a, err := parseARN(strings.TrimSpace(s))
	if err != nil {
		return arn{}, err
	}
	if a.Service != "iam" || !isAccountID(a.Account) || !strings.HasPrefix(a.Resource, "role/") || roleName(a) == "" {
		return arn{}, outlay.Errorf(outlay.CodeInvalid, "Copy the ARN from the role's page in the IAM console.", "%q is not the ARN of a role", clip(s, 100))
	}
	return a, nil
}

// roleName is the last part of a role's ARN, without its path; of an assumed role's, the role's name.
func roleName(a arn) string {
	if rest, ok := strings.CutPrefix(a.Resource, "assumed-role/"); ok {
		name, _, _ := strings.Cut(rest, "/")
		return name
	}
	return a.Resource[strings.LastIndex(a.Resource, "/")+1:]
}

func isAccountID(s string) bool {
	return len(s) == 12 && strings.Trim(s, "0123456789") == ""
}

// serviceRegion is where the billing services of a partition live (clouds.md §2.2).
func serviceRegion(partition string) string {
	switch partition {
	case "aws-cn":
		return "cn-northwest-1"
	case "aws-us-gov":
		return "us-gov-west-1"
	case "aws-eusc":
		return "eusc-de-east-1"
	}
	return "us-east-1"
}

// clip keeps a text of somebody else short enough to show.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "…"
}

package aws

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// policyDocument is an IAM or bucket policy, as far as the cloud understands one.
type policyDocument struct {
	Version   string
	Statement statements
}

// statement is one rule. Condition is operator → key → values.
type statement struct {
	Sid       string
	Effect    string
	Principal principals
	Action    oneOrMany
	NotAction oneOrMany
	Resource  oneOrMany
	Condition map[string]map[string]oneOrMany
}

// oneOrMany is a string or an array of strings: policies allow both.
type oneOrMany []string

// UnmarshalJSON reads a string, a number, a boolean or an array of strings.
func (o *oneOrMany) UnmarshalJSON(b []byte) error {
	var one any
	if err := json.Unmarshal(b, &one); err != nil {
		return err
	}
	list, ok := one.([]any)
	if !ok {
		list = []any{one}
	}
	*o = nil
	for _, v := range list {
		switch v.(type) {
		case string, bool, float64:
			*o = append(*o, fmt.Sprint(v))
		default:
			return fmt.Errorf("a policy holds %T where a text belongs", v)
		}
	}
	return nil
}

// statements is an object or an array of objects.
type statements []statement

// UnmarshalJSON reads one statement or an array.
func (s *statements) UnmarshalJSON(b []byte) error {
	if strings.HasPrefix(strings.TrimSpace(string(b)), "[") {
		var many []statement
		err := json.Unmarshal(b, &many)
		*s = many
		return err
	}
	var one statement
	if err := json.Unmarshal(b, &one); err != nil {
		return err
	}
	*s = statements{one}
	return nil
}

// principals is "*" or kind ("AWS", "Service") → names.
type principals map[string]oneOrMany

// UnmarshalJSON reads "*" or an object.
func (p *principals) UnmarshalJSON(b []byte) error {
	var star string
	if json.Unmarshal(b, &star) == nil {
		if star != "*" {
			return fmt.Errorf("a principal is %q instead of an object", star)
		}
		*p = principals{"*": {"*"}}
		return nil
	}
	m := map[string]oneOrMany{}
	err := json.Unmarshal(b, &m)
	*p = m
	return err
}

// parsePolicy reads a policy strictly enough to refuse what AWS refuses as malformed.
func parsePolicy(doc string) (policyDocument, error) {
	var p policyDocument
	if err := json.Unmarshal([]byte(doc), &p); err != nil {
		return p, fmt.Errorf("a policy is not valid JSON: %w", err)
	}
	if len(p.Statement) == 0 {
		return p, errors.New("a policy has no statement")
	}
	sids := map[string]bool{}
	for _, s := range p.Statement {
		if s.Effect != "Allow" && s.Effect != "Deny" {
			return p, fmt.Errorf("a policy's effect is %q", s.Effect)
		}
		if len(s.Action)+len(s.NotAction) == 0 {
			return p, errors.New("a policy statement has no action")
		}
		if s.Sid != "" && sids[s.Sid] {
			return p, fmt.Errorf("two statements have the Sid %q", s.Sid)
		}
		sids[s.Sid] = true
	}
	return p, nil
}

// parseBucketPolicy also wants a principal, and resources of this bucket only.
func parseBucketPolicy(doc, bucketARN string) (policyDocument, error) {
	p, err := parsePolicy(doc)
	if err != nil {
		return p, err
	}
	for _, s := range p.Statement {
		if len(s.Principal) == 0 {
			return p, errors.New("a bucket policy names no principal: Missing required field Principal")
		}
		for _, r := range s.Resource {
			if r != bucketARN && !strings.HasPrefix(r, bucketARN+"/") && r != bucketARN+"*" {
				return p, errors.New("a bucket policy reaches beyond its bucket: Policy has invalid resource")
			}
		}
		if len(s.Resource) == 0 {
			return p, errors.New("a bucket policy names no resource: Missing required field Resource")
		}
	}
	return p, nil
}

// ask is a question to a policy.
type ask struct {
	action   string
	resource string
	// who is the caller for bucket policies: "AWS" ARN and account, or "Service" name.
	service string
	arn     string
	account string
	context map[string]string // condition keys, lower case
}

// matches tells whether a statement speaks about the question.
func (s statement) matches(q ask) bool {
	acts := like(s.Action, strings.ToLower(q.action), true)
	if len(s.NotAction) > 0 {
		acts = !like(s.NotAction, strings.ToLower(q.action), true)
	}
	return acts && (len(s.Resource) == 0 || like(s.Resource, q.resource, false)) && s.conditions(q)
}

// speaksOf tells whether a bucket policy's statement is about the caller.
func (s statement) speaksOf(q ask) bool {
	for kind, names := range s.Principal {
		for _, n := range names {
			switch {
			case n == "*" && (kind == "*" || kind == "AWS"):
				return true
			case kind == "Service" && q.service != "" && n == q.service:
				return true
			case kind == "AWS" && q.account != "" && (n == q.arn || n == q.account || strings.HasSuffix(n, "::"+q.account+":root")):
				return true
			}
		}
	}
	return false
}

// conditions are joined by AND; the values of a key by OR. An operator or key that the cloud does not know never holds.
func (s statement) conditions(q ask) bool {
	for op, keys := range s.Condition {
		for key, values := range keys {
			have, known := q.context[strings.ToLower(key)]
			switch op {
			case "StringLike", "ArnLike", "ArnEquals":
				if !known || !like(values, have, false) {
					return false
				}
			case "StringEquals", "Bool":
				if !known || !contains(values, have) {
					return false
				}
			default:
				return false
			}
		}
	}
	return true
}

func contains(values []string, v string) bool {
	for _, x := range values {
		if x == v {
			return true
		}
	}
	return false
}

// like tells whether text fits one of the patterns, in which * is any text and ? any character.
func like(patterns []string, text string, fold bool) bool {
	for _, p := range patterns {
		if fold {
			p = strings.ToLower(p)
		}
		if wildcard(p, text) {
			return true
		}
	}
	return false
}

// wildcard matches in linear space: on a mismatch it goes back to the last star.
func wildcard(pattern, text string) bool {
	p, t, star, mark := 0, 0, -1, 0
	for t < len(text) {
		switch {
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == text[t]) && pattern[p] != '*':
			p, t = p+1, t+1
		case p < len(pattern) && pattern[p] == '*':
			star, mark, p = p, t, p+1
		case star >= 0:
			mark++
			p, t = star+1, mark
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}

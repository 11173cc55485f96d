package aws

import (
	"bytes"
	"encoding/json"
	"slices"

	"outlay"
)

// The statements of a bucket policy that are ours, by Sid. All others belong to somebody else and stay.
const (
	sidDeliver = "OutlayLetsDataExportsDeliver"
	sidTLS     = "OutlayDeniesPlainHTTP"
)

// bucketPolicy is a bucket's policy with every statement kept as it came.
type bucketPolicy struct {
	fields     map[string]json.RawMessage // Version, Id and what else there is
	statements []json.RawMessage
}

// parsePolicy reads a policy; "" is an empty one. Statement may be one object or a list (clouds.md §2.3).
func parsePolicy(text string) (bucketPolicy, error) {
	p := bucketPolicy{fields: map[string]json.RawMessage{}}
	if text == "" {
		p.fields["Version"] = json.RawMessage(`"2012-10-17"`)
		return p, nil
	}
	if err := json.Unmarshal([]byte(text), &p.fields); err != nil {
		return bucketPolicy{}, damagedPolicy(err)
	}
	raw := bytes.TrimSpace(p.fields["Statement"])
	delete(p.fields, "Statement")
	if len(raw) > 0 && raw[0] == '[' {
		if err := json.Unmarshal(raw, &p.statements); err != nil {
			return bucketPolicy{}, damagedPolicy(err)
		}
	} else if len(raw) > 0 {
		p.statements = []json.RawMessage{raw}
	}
	return p, nil
}

// damagedPolicy is a policy that does not read. S3 keeps no such policy, so that this one was damaged on its way.
func damagedPolicy(err error) error {
	e := outlay.Errorf(outlay.CodeUnavailable, "Nothing to do; it is tried again by itself.", "reading the bucket's policy: it was cut short or damaged on its way: %w", err)
	e.Outcome = outlay.Unknown
	return e
}

// sidOf is a statement's Sid, "" when it has none.
func sidOf(statement json.RawMessage) string {
	var s struct{ Sid string }
	if json.Unmarshal(statement, &s) != nil {
		return ""
	}
	return s.Sid
}

func isOurSid(sid string) bool { return sid == sidDeliver || sid == sidTLS }

// ours maps our Sids to their statements in one canonical spelling: what drift is measured on.
func (p bucketPolicy) ours() map[string]string {
	out := map[string]string{}
	for _, s := range p.statements {
		if sid := sidOf(s); isOurSid(sid) {
			out[sid] = canonical(s)
		}
	}
	return out
}

// with returns the policy with our statements replaced by those of want (none removes them); the others are kept.
func (p bucketPolicy) with(want map[string]string) bucketPolicy {
	out := bucketPolicy{fields: p.fields}
	for _, s := range p.statements {
		if !isOurSid(sidOf(s)) {
			out.statements = append(out.statements, s)
		}
	}
	for _, sid := range sortedKeys(want) {
		out.statements = append(out.statements, json.RawMessage(want[sid]))
	}
	return out
}

func (p bucketPolicy) empty() bool { return len(p.statements) == 0 }

// String is the policy as JSON.
func (p bucketPolicy) String() string {
	all := map[string]any{"Statement": p.statements}
	for k, v := range p.fields {
		all[k] = v
	}
	b, err := json.Marshal(all)
	if err != nil {
		panic(err) // every part was parsed from JSON
	}
	return string(b)
}

// wantedStatements lets AWS's export service, acting for our account and for our export alone, write into the bucket
// and check this policy (architecture.md ruling 9: the export's name is known before it exists), and refuses plain
// HTTP. The service region inside SourceArn is '*': it differs by partition (clouds.md §2.3).
func wantedStatements(n names) map[string]string {
	at := "arn:" + n.Partition + ":s3:::" + n.Bucket
	both := []string{at, at + "/*"}
	deliver := map[string]any{
		"Sid": sidDeliver, "Effect": "Allow",
		"Principal": map[string]any{"Service": []string{"bcm-data-exports.amazonaws.com", "billingreports.amazonaws.com"}},
		"Action":    []string{"s3:PutObject", "s3:GetBucketPolicy"}, "Resource": both,
		"Condition": map[string]any{"StringLike": map[string]any{
			"aws:SourceAccount": n.Account,
			"aws:SourceArn":     []string{"arn:" + n.Partition + ":bcm-data-exports:*:" + n.Account + ":export/" + n.Export + "-*"},
		}},
	}
	tls := map[string]any{
		"Sid": sidTLS, "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": both,
		"Condition": map[string]any{"Bool": map[string]any{"aws:SecureTransport": "false"}},
	}
	return map[string]string{sidDeliver: canonicalOf(deliver), sidTLS: canonicalOf(tls)}
}

// canonical spells a statement so that two that mean the same compare equal: keys sorted, and a list of one as its
// only element, since AWS may store either.
func canonical(statement json.RawMessage) string {
	var v any
	if json.Unmarshal(statement, &v) != nil {
		return string(statement)
	}
	return canonicalOf(v)
}

func canonicalOf(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // plain data always marshals
	}
	var plain any
	_ = json.Unmarshal(b, &plain)
	b, _ = json.Marshal(unwrapSingles(plain))
	return string(b)
}

func unwrapSingles(v any) any {
	switch x := v.(type) {
	case map[string]any:
		for k := range x {
			x[k] = unwrapSingles(x[k])
		}
	case []any:
		if len(x) == 1 {
			return unwrapSingles(x[0])
		}
		for i := range x {
			x[i] = unwrapSingles(x[i])
		}
		if texts := allText(x); texts != nil {
			slices.Sort(texts) // the order of actions and resources means nothing
			return texts
		}
	}
	return v
}

// allText is the list as texts, nil when something else is in it.
func allText(list []any) []string {
	out := make([]string, 0, len(list))
	for _, v := range list {
		s, ok := v.(string)
		if !ok {
			return nil
		}
		out = append(out, s)
	}
	return out
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

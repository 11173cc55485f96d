package main

import (
	"os"
	"strings"
	"testing"

	"outlay"
	"outlay/aws"
	"outlay/azure"
	"outlay/google"
)

// TestPublishedSpellings holds the table of docs/tags.md against what the providers spell.
func TestPublishedSpellings(t *testing.T) {
	b, err := os.ReadFile("../../docs/tags.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(b), "| Key | AWS tag key | Azure tag name | Google Cloud label | Folds to |\n")
	providers := []outlay.Provider{aws.New(aws.Options{}), azure.New(azure.Options{}), google.New(google.Options{})}
	rows := strings.Split(table, "\n")[1:]
	for i, key := range outlay.TagKeys() {
		want := []string{key}
		for _, p := range providers {
			labels, err := p.Labels(map[string]string{key: "x"})
			if err != nil || len(labels) != 1 {
				t.Fatalf("%s spells %s as %v, %v", p.Name(), key, labels, err)
			}
			want = append(want, labels[0].Key)
			if outlay.FoldTag(labels[0].Key) != outlay.FoldTag(key) {
				t.Errorf("%s spells %s as %s, which does not fold to it", p.Name(), key, labels[0].Key)
			}
		}
		want = append(want, outlay.FoldTag(key))
		if line := "| `" + strings.Join(want, "` | `") + "` |"; rows[i] != line {
			t.Errorf("docs/tags.md says\n%s\nand the providers\n%s", rows[i], line)
		}
	}
}

func TestKebab(t *testing.T) {
	var got []string
	for _, key := range outlay.TagKeys() {
		got = append(got, kebab(key))
	}
	if text := strings.Join(got, " "); text != "date group-id name organization-id pool project session session-id user" {
		t.Error(text)
	}
}

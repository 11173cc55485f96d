package outlaytest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
)

// listed gives the names of a flat list, and how many pages it took.
func (x blobSuite) listed(ctx context.Context, t *testing.T, name string, o *azblob.ListBlobsFlatOptions) (names []string, pages int) {
	t.Helper()
	for pager := x.client.NewListBlobsFlatPager(name, o); pager.More(); pages++ {
		page, err := pager.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range page.Segment.BlobItems {
			names = append(names, *b.Name)
		}
	}
	return names, pages
}

func (x blobSuite) flat(t *testing.T) {
	ctx, name := t.Context(), x.container(t)
	for _, n := range []string{"b/2", "a/1", "b/10", "b", "c"} {
		x.put(t, name, n, n)
	}
	if got, _ := x.listed(ctx, t, name, nil); strings.Join(got, " ") != "a/1 b b/10 b/2 c" {
		t.Errorf("got %v", got)
	}
	if got, _ := x.listed(ctx, t, name, &azblob.ListBlobsFlatOptions{Prefix: to.Ptr("b/")}); strings.Join(got, " ") != "b/10 b/2" {
		t.Errorf("got %v", got)
	}
	if got, _ := x.listed(ctx, t, name, &azblob.ListBlobsFlatOptions{Prefix: to.Ptr("zzz")}); len(got) != 0 {
		t.Errorf("got %v", got)
	}
	page, err := x.client.NewListBlobsFlatPager(name, &azblob.ListBlobsFlatOptions{Prefix: to.Ptr("b/10")}).NextPage(ctx)
	if err != nil {
		t.Fatal(err)
	}
	p := page.Segment.BlobItems[0].Properties
	props, err := x.blobClient(name, "b/10").GetProperties(ctx, nil)
	if err != nil || *p.ContentLength != 4 || !p.LastModified.Equal(*props.LastModified) || strings.Trim(string(*p.ETag), `"`) != strings.Trim(string(*props.ETag), `"`) {
		t.Errorf("listed as %+v, got as %+v, %v", p, props, err)
	}
}

func (x blobSuite) hierarchy(t *testing.T) {
	ctx, name := t.Context(), x.container(t)
	for _, n := range []string{"r/x/1", "r/x/2", "r/y/1", "r/z", "q"} {
		x.put(t, name, n, n)
	}
	page, err := x.client.ServiceClient().NewContainerClient(name).NewListBlobsHierarchyPager("/", &container.ListBlobsHierarchyOptions{Prefix: to.Ptr("r/")}).NextPage(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range page.Segment.BlobPrefixes {
		got = append(got, *p.Name)
	}
	for _, b := range page.Segment.BlobItems {
		got = append(got, *b.Name)
	}
	if strings.Join(got, " ") != "r/x/ r/y/ r/z" {
		t.Errorf("got %v", got)
	}
}

func (x blobSuite) pages(t *testing.T) {
	ctx, name := t.Context(), x.container(t)
	var want []string
	for i := range 11 {
		n := fmt.Sprintf("p/%02d", i)
		x.put(t, name, n, "x")
		want = append(want, n)
	}
	got, pages := x.listed(ctx, t, name, &azblob.ListBlobsFlatOptions{MaxResults: to.Ptr[int32](4), Prefix: to.Ptr("p/")})
	if !slices.Equal(got, want) || pages != 3 {
		t.Errorf("got %v in %d pages", got, pages)
	}
}

// names are those that bills and manifests have, and some that need care on the way.
func (x blobSuite) names(t *testing.T) {
	ctx, name := t.Context(), x.container(t)
	for _, n := range []string{"root/export-1/20261101-20261130/9f2c/part_0_0001.snappy.parquet", "with space/ä+b.csv", "per%20cent"} {
		x.put(t, name, n, n)
		if got, _ := x.read(t, name, n, nil); got != n {
			t.Errorf("%q: got %q", n, got)
		}
		if got, _ := x.listed(ctx, t, name, &azblob.ListBlobsFlatOptions{Prefix: &n}); len(got) != 1 || got[0] != n {
			t.Errorf("%q: listed as %v", n, got)
		}
	}
}

package aws

import (
	"maps"
	"os"
	"slices"
	"time"
)

// Live is one resource that exists in the cloud: a bucket, an export or a legacy report.
type Live struct {
	Kind    string // "bucket", "export" or "report"
	Name    string
	ARN     string
	Account string
	Region  string // buckets
	Created time.Time
	Tags    map[string]string
	Policy  string            // buckets
	Objects map[string]string // buckets: key → ETag of what a plain GET sees
	Query   string            // exports
	Bucket  string            // exports
	Prefix  string            // exports
	Healthy bool              // exports
	Foreign bool              // planted by PlantBucket or PlantExport
}

// Snapshot gives every live resource, buckets first, in the order of their names. Two snapshots of a resource that
// nobody touched are equal (cmp.Diff).
func (c *Cloud) Snapshot() []Live {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []Live
	for _, name := range slices.Sorted(maps.Keys(c.state.Buckets)) {
		b := c.state.Buckets[name]
		l := Live{Kind: "bucket", Name: name, ARN: c.bucketARN(name), Account: b.Account, Region: b.Region, Created: b.Created, Tags: maps.Clone(b.Tags), Policy: b.Policy, Objects: map[string]string{}, Foreign: b.Foreign}
		for key := range b.Objects {
			if v := b.current(key); v != nil {
				l.Objects[key] = v.ETag
			}
		}
		out = append(out, l)
	}
	for _, e := range c.state.Exports {
		d := e.Definition
		out = append(out, Live{
			Kind: "export", Name: d.Name, ARN: e.ARN, Account: e.Account, Created: e.Created, Tags: maps.Clone(e.Tags), Query: d.DataQuery.QueryStatement,
			Bucket: d.DestinationConfigurations.S3Destination.S3Bucket, Prefix: d.DestinationConfigurations.S3Destination.S3Prefix,
			Healthy: c.status(e)["StatusCode"] == "HEALTHY", Foreign: e.Foreign || e.Theirs,
		})
	}
	for _, r := range c.state.Reports {
		out = append(out, Live{
			Kind: "report", Name: r.Definition.ReportName, ARN: r.Run.ARN, Account: r.Run.Account, Created: r.Run.Created, Bucket: r.Definition.S3Bucket,
			Prefix: r.Definition.S3Prefix, Healthy: c.reportDestination(r) == "", Foreign: r.Foreign,
		})
	}
	return out
}

// Buckets is Snapshot's buckets.
func (c *Cloud) Buckets() []Live { return c.only("bucket") }

// Exports is Snapshot's exports.
func (c *Cloud) Exports() []Live { return c.only("export") }

func (c *Cloud) only(kind string) []Live {
	return slices.DeleteFunc(c.Snapshot(), func(l Live) bool { return l.Kind != kind })
}

// ActiveTags lists the active cost allocation tags of a payer.
func (c *Cloud) ActiveTags(payer string) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var keys []string
	for key, t := range c.state.Tags[payer].Keys {
		if t.Active {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

// PlantBucket makes a bucket that is not ours, with one object in it: a sweep proves with Snapshot that it was not
// touched. It takes a name of anybody's choice, the account's own or another's.
func (c *Cloud) PlantBucket(account, region, name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	b := c.newBucket(name, account, region)
	b.Foreign, b.Tags = true, map[string]string{"owner": "somebody"}
	c.mustStore(b, "theirs/report.csv", []byte("not ours\n"))
	c.persist()
}

// PlantObject puts an object into a bucket, past all permissions.
func (c *Cloud) PlantObject(bucket, key string, data []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.mustStore(c.mustBucket(bucket), key, data)
	c.persist()
}

// RemoveObject deletes an object, past all permissions: a data file that a manifest still names.
func (c *Cloud) RemoveObject(bucket, key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	b := c.mustBucket(bucket)
	for _, v := range b.Objects[key] {
		c.dropVersion(b, key, v.ID)
	}
	c.persist()
}

// Object gives what a plain GET of a key would, past all permissions; nil for none. With PlantObject a test damages a
// file: cut short, emptied, changed.
func (c *Cloud) Object(bucket, key string) []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	b := c.state.Buckets[bucket]
	if b == nil || b.current(key) == nil {
		return nil
	}
	data, err := os.ReadFile(c.blobPath(b.current(key)))
	if err != nil {
		panic("simulated cloud: " + err.Error())
	}
	return data
}

func (c *Cloud) mustBucket(name string) *bucket {
	b := c.state.Buckets[name]
	if b == nil {
		panic("simulated cloud: no bucket " + name)
	}
	return b
}

func (c *Cloud) mustStore(b *bucket, key string, data []byte) {
	if _, err := c.store(b, key, data, c.opt.Now()); err != nil {
		panic("simulated cloud: " + err.Error())
	}
}

// RemoveBucket deletes a bucket and all that is in it, as somebody at the console would.
func (c *Cloud) RemoveBucket(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if b := c.state.Buckets[name]; b != nil {
		for key, vs := range b.Objects {
			for _, v := range vs {
				c.dropVersion(b, key, v.ID)
			}
		}
		delete(c.state.Buckets, name)
	}
	c.persist()
}

// SetBucketPolicy replaces a bucket's policy past all permissions and checks: drift by somebody else's hand.
func (c *Cloud) SetBucketPolicy(bucket, policy string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.mustBucket(bucket).setPolicy(policy, 0)
	c.persist()
}

// PlantExport makes an export that is not ours, into a bucket that need not exist, and gives its ARN.
func (c *Cloud) PlantExport(account, name, bucket string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := &export{ARN: c.exportARN(account, "export/"+name+"-"+c.state.UUID()), Account: account, Tags: map[string]string{"owner": "somebody"}, Foreign: true, Revisions: map[string]int{}, Manifests: map[string]time.Time{}}
	e.Created = c.opt.Now().UTC().Truncate(time.Millisecond)
	e.Updated = e.Created
	d := &e.Definition
	d.Name, d.ExportArn, d.RefreshCadence.Frequency = name, e.ARN, "SYNCHRONOUS"
	d.DataQuery = dataQuery{"SELECT BilledCost, ChargePeriodStart FROM FOCUS_1_2_AWS", map[string]map[string]string{"FOCUS_1_2_AWS": {"TIME_GRANULARITY": "DAILY"}}}
	dest := &d.DestinationConfigurations.S3Destination
	dest.S3Bucket, dest.S3Prefix, dest.S3Region = bucket, "theirs", "us-east-1"
	if b := c.state.Buckets[bucket]; b != nil {
		dest.S3Region = b.Region
	}
	out := &dest.S3OutputConfigurations
	out.OutputType, out.Format, out.Compression, out.Overwrite = "CUSTOM", "PARQUET", "PARQUET", "OVERWRITE_REPORT"
	c.state.Exports = append(c.state.Exports, e)
	c.persist()
	return e.ARN
}

// RemoveExport deletes an export as somebody at the console would.
func (c *Cloud) RemoveExport(arn string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.state.Exports = slices.DeleteFunc(c.state.Exports, func(e *export) bool { return e.ARN == arn })
	c.persist()
}

// Unhealthy makes an export unhealthy for a reason such as "BILL_OWNER_CHANGED" or "INTERNAL_FAILURE"; "" heals it.
func (c *Cloud) Unhealthy(arn, reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, e := range c.state.Exports {
		if e.ARN == arn {
			e.Reason = reason
		}
	}
	c.persist()
}

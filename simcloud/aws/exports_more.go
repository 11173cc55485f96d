package aws

import "net/http"

func (x execution) wire() map[string]any {
	out := map[string]any{"StatusCode": x.Status, "CreatedAt": wireTime(x.Created), "LastUpdatedAt": wireTime(x.Created), "CompletedAt": wireTime(x.Created)}
	if x.Reason != "" {
		out["StatusReason"] = x.Reason
	}
	return out
}

// listExecutions lists the newest first.
func (c *Cloud) listExecutions(k *call) (answer, *refusal) {
	var in pageRequest
	if fail := k.decode(&in); fail != nil {
		return answer{}, fail
	}
	e, fail := c.findExport(k, "bcm-data-exports:ListExecutions", in.ExportArn)
	if fail != nil {
		return answer{}, fail
	}
	var all []execution
	for i := range e.Executions {
		all = append(all, e.Executions[len(e.Executions)-1-i])
	}
	page, next, fail := paged(all, in.NextToken, in.MaxResults, 100)
	if fail != nil {
		return answer{}, fail
	}
	list := []map[string]any{}
	for _, x := range page {
		list = append(list, map[string]any{"ExecutionId": x.ID, "ExecutionStatus": x.wire()})
	}
	return jsonAnswer(withNext(map[string]any{"Executions": list}, next))
}

func (c *Cloud) getExecution(k *call) (answer, *refusal) {
	var in struct{ ExportArn, ExecutionId string }
	if fail := k.decode(&in); fail != nil {
		return answer{}, fail
	}
	e, fail := c.findExport(k, "bcm-data-exports:GetExecution", in.ExportArn)
	if fail != nil {
		return answer{}, fail
	}
	for _, x := range e.Executions {
		if x.ID == in.ExecutionId {
			return jsonAnswer(map[string]any{"ExecutionId": x.ID, "ExecutionStatus": x.wire(), "Export": e.shown()})
		}
	}
	return answer{}, refuse(http.StatusBadRequest, "ResourceNotFoundException", "Execution %s not found", in.ExecutionId).with("ResourceId", in.ExecutionId).with("ResourceType", "EXECUTION")
}

func (c *Cloud) tagExport(k *call) (answer, *refusal) {
	var in struct {
		ResourceArn  string
		ResourceTags []resourceTag
	}
	if fail := k.decode(&in); fail != nil {
		return answer{}, fail
	}
	e, fail := c.findExport(k, "bcm-data-exports:TagResource", in.ResourceArn)
	if fail != nil {
		return answer{}, fail
	}
	for _, t := range in.ResourceTags {
		e.Tags[t.Key] = t.Value
	}
	return jsonAnswer(map[string]any{})
}

func (c *Cloud) untagExport(k *call) (answer, *refusal) {
	var in struct {
		ResourceArn     string
		ResourceTagKeys []string
	}
	if fail := k.decode(&in); fail != nil {
		return answer{}, fail
	}
	e, fail := c.findExport(k, "bcm-data-exports:UntagResource", in.ResourceArn)
	if fail != nil {
		return answer{}, fail
	}
	for _, key := range in.ResourceTagKeys {
		delete(e.Tags, key)
	}
	return jsonAnswer(map[string]any{})
}

func (c *Cloud) listExportTags(k *call) (answer, *refusal) {
	var in struct{ ResourceArn string }
	if fail := k.decode(&in); fail != nil {
		return answer{}, fail
	}
	e, fail := c.findExport(k, "bcm-data-exports:ListTagsForResource", in.ResourceArn)
	if fail != nil {
		return answer{}, fail
	}
	list := []resourceTag{}
	for _, t := range tagList(e.Tags) {
		list = append(list, resourceTag(t))
	}
	return jsonAnswer(map[string]any{"ResourceTags": list})
}

package google

import "outlay"

// consoleLink leads to the one page on which billing exports are turned on and off.
func (p *Provider) consoleLink(billing string) string {
	return p.url("https://console.cloud.google.com/billing/", "/console/billing/") + billing + "/export"
}

// instruction is the step that no API offers (clouds.md §4.1), with everything to copy.
func (pl *planner) instruction() *outlay.Instruction {
	in := &outlay.Instruction{
		Text: "One thing only you can do: Google has no API to point its billing export at the new dataset. Open Billing export, choose " + pl.n.Export.title() + ", the project and the dataset below, and press Save.",
		Who:  "Billing Account Costs Manager or Billing Account Administrator of billing account " + pl.n.Billing + ".",
		Link: pl.p.consoleLink(pl.n.Billing), LinkTitle: "Open Billing export",
		Values: []outlay.InstructionValue{
			{Title: "Billing account", Value: pl.n.Billing}, {Title: "Export", Value: pl.n.Export.title()}, {Title: "Project", Value: pl.n.Project},
			{Title: "Dataset", Value: pl.n.Dataset}, {Title: "Location", Value: pl.n.Location},
		},
		Seen: "Google's writer appears in the dataset's access list within minutes, and the table with the first data some hours later. Outlay looks every hour; Check now looks at once.",
	}
	if isMultiRegion(pl.n.Location) {
		in.Seen += " Last month is filled in within five days, oldest day first."
	}
	if pl.n.Export != exportFocus {
		return in
	}
	in.Text = "One thing only you can do: Google has no API to turn its FOCUS export on. Open Billing export, choose FOCUS, the project and the location below, and press Save. Google makes a dataset of its own for it; then share that dataset with the reader below, as BigQuery Data Viewer."
	in.Who += " In the project also Project IAM Admin and BigQuery Admin."
	in.Values = []outlay.InstructionValue{
		{Title: "Billing account", Value: pl.n.Billing}, {Title: "Export", Value: pl.n.Export.title()}, {Title: "Project", Value: pl.n.Project},
		{Title: "Location", Value: pl.n.Location}, {Title: "Reader", Value: pl.seen.Identity.Principal},
	}
	in.Seen = "A dataset named gcp_billing_immutable_… appears in the project. Outlay looks every hour; Check now looks at once."
	return in
}

package google

import "slices"

// routes is everything the cloud answers. Routes with a custom verb (":enable") come before the plain ones of the same
// path: a hole could hold the verb.
func routes() []route {
	return slices.Concat(tokenRoutes(), consoleRoutes(), projectRoutes(), serviceRoutes(), billingRoutes(), datasetRoutes(), tableRoutes(), jobRoutes())
}

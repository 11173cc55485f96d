package azure

import "outlay"

// fileFormats are the bills of Azure that people bring as files, the more special ones first.
func fileFormats() []outlay.FileFormat { return nil }

package main

import (
	"outlay/simcloud/bill"
)

// The queries ask for values that occur often in the generated bill.

func bigProject() string { return bill.Names("project", 200)[0] }
func bigPool() string    { return bill.Names("pool", 60)[0] }

func bigAccount() string { return bill.Large(year(), 12)[0].Accounts[1].ID }

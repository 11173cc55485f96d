package web

import (
	"fmt"
	"time"

	"outlay"
	"outlay/outlaytest"
)

// someCharges is three months of a research computing bill, the same at every run: a dozen services, a weekday pattern,
// credits below zero, charges without tags, one of them smaller than a cent.
func someCharges(now time.Time) outlaytest.Charges {
	services := []struct {
		name string
		cost int64 // thousandths a weekday
	}{
		{"Nimbus Compute", 812_345}, {"Nimbus Block Store", 301_177}, {"Nimbus Object Store", 151_903}, {"Nimbus Parallel Files", 122_640}, {"Nimbus Transfer", 74_128},
		{"Nimbus SQL", 41_999}, {"Nimbus Watch", 20_451}, {"Nimbus Keys", 4_107}, {"Nimbus Functions", 2_350}, {"Nimbus Queue", 1_204}, {"Nimbus Names", 433}, {"Nimbus Mail", 91},
	}
	users := []string{"m.okafor", "j.lindqvist", "a.haddad", "", "s.petrov"}
	var out outlaytest.Charges
	for day := now.Truncate(24*time.Hour).AddDate(0, 0, -75); day.Before(now); day = day.AddDate(0, 0, 1) {
		part := int64(100)
		if now.Sub(day) < 48*time.Hour {
			part = 42 // still arriving
		}
		if day.Weekday() == time.Saturday || day.Weekday() == time.Sunday {
			part = part * 6 / 10
		}
		for i, s := range services {
			wave := int64(80 + (day.YearDay()*7+i*13)%45)
			milli := s.cost * wave * part / 10_000
			user := users[(day.YearDay()+i)%len(users)]
			out = append(out, oneCharge(day, s.name, user, fmt.Sprintf("%d.%03d%04d", milli/1000, milli%1000, i*37), "Usage"))
		}
		if day.Weekday() == time.Monday {
			out = append(out, oneCharge(day, "Nimbus Compute", "", "-133.7000", "Credit"))
		}
	}
	return append(out, oneCharge(now.Truncate(24*time.Hour).AddDate(0, 0, -3), "Nimbus Lamp", "", "0.00004", "Usage"))
}

// oneCharge has twice the cost as its list price, so that a page cannot show one measure for the other.
func oneCharge(day time.Time, service, user, figure, category string) outlaytest.Charge {
	cost := outlay.MustAmount(figure, "USD")
	return outlaytest.Charge{Day: day, Cost: figure, List: cost.Add(cost).String(), Values: map[outlay.Dimension]string{
		outlay.ByService: service, outlay.ByProvider: "Nimbus", outlay.BySubAccount: "210987654321", outlay.ByRegion: "north-1", outlay.ByCategory: category,
		outlay.TagDimension("User"): user, outlay.TagDimension("Project"): map[string]string{"": "", "m.okafor": "hydrology"}[user],
	}}
}

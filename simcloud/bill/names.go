package bill

import "fmt"

// Names lists n names of a kind ("user", "group", "project", "pool") of a research-computing centre. The same n names
// come each time, and more names begin with the fewer.
func Names(kind string, n int) []string {
	out := make([]string, 0, n)
	for i := range n {
		out = append(out, name(kind, i))
	}
	return out
}

func name(kind string, i int) string {
	switch kind {
	case "user":
		if demo := demoUsers(); i < len(demo) {
			return demo[i]
		}
		last := surnames()
		return fmt.Sprintf("%c.%s%s", 'a'+rune(i%26), last[(i/26)%len(last)], suffix(i/(26*len(last))))
	case "group":
		return pick(groups(), i)
	case "project":
		return pick(projects(), i)
	}
	return pick(pools(), i)
}

// pick is the i-th name, numbered from the second round on.
func pick(names []string, i int) string {
	round := i / len(names)
	if round == 0 {
		return names[i]
	}
	return fmt.Sprintf("%s-%02d", names[i%len(names)], round+1)
}

func suffix(round int) string {
	if round == 0 {
		return ""
	}
	return fmt.Sprint(round + 1)
}

func demoUsers() []string {
	return []string{
		"m.okafor", "s.lindqvist", "j.tanaka", "a.moreau", "r.iyer", "l.castellanos", "p.novak", "e.whitaker", "d.haddad", "k.yilmaz", "t.nguyen", "f.bianchi",
		"o.petrov", "c.mbeki", "h.johansen", "n.rahman", "v.dubois", "b.kowalski", "i.fernandes", "w.zhang", "g.murphy", "y.cohen", "z.horvat", "u.schmidt",
	}
}

func surnames() []string {
	return []string{
		"abara", "adler", "akintola", "almeida", "andersen", "arai", "ashworth", "baker", "banerjee", "barros", "becker", "bellamy", "berg", "bose", "brandt",
		"brennan", "cardoso", "carver", "chandra", "chen", "clarke", "costa", "dalton", "darwish", "davies", "demir", "diallo", "dvorak", "ekberg", "ellis",
		"estrada", "farah", "fischer", "fontaine", "fujita", "garcia", "gauthier", "gomez", "graham", "greco", "gupta", "haas", "hansen", "hayashi", "herrera",
		"holm", "hussain", "ibrahim", "ito", "ivanov", "jansen", "jensen", "joshi", "kamau", "kaplan", "keller", "khan", "kim", "klein", "kovac", "kumar",
		"lambert", "larsen", "leclerc", "lehmann", "li", "lopez", "lund", "maier", "malik", "marino", "martens", "mehta", "mendes", "meyer", "mori", "moyo",
		"muller", "nakamura", "nasser", "ndiaye", "nielsen", "nowak", "obi", "olsen", "ortiz", "osei", "park", "patel", "pereira", "peters", "popov", "quinn",
		"ramos", "reyes", "ricci", "roche", "rossi", "roth", "saito", "salazar", "santos", "sato", "sharma", "silva", "singh", "smit", "soto", "suzuki",
		"takeda", "torres", "vega", "vogel", "wagner", "walsh", "weber", "wolf", "wright", "yamada", "zimmer",
	}
}

func groups() []string {
	return []string{"grp-atmos", "grp-genomics", "grp-cfd", "grp-materials", "grp-astro", "grp-core", "grp-neuro", "grp-energy", "grp-hydro", "grp-optics", "grp-imaging", "grp-robotics"}
}

func projects() []string {
	return []string{
		"storm-surge", "reef-genome", "wing-flutter", "solid-battery", "dark-halo", "platform", "cortex-map", "grid-forecast", "river-delta", "photon-mesh",
		"cryo-em", "swarm-nav", "soil-carbon", "plasma-edge", "tumor-atlas", "ice-sheet", "perovskite", "pulsar-timing", "turbine-wake", "protein-fold",
	}
}

func pools() []string {
	return []string{"hpc-cpu", "gpu-a10", "gpu-h100", "highmem", "spot-batch", "interactive", "viz", "mpi-large", "teaching", "debug"}
}

package auth

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"outlay"
)

func (h *house) login(as, with, addr string) error {
	h.t.Helper()
	_, err := h.Login(h.t.Context(), as, outlay.NewSecret(with), addr)
	return err
}

func TestLogin(t *testing.T) {
	h := newHouse(t, outlay.RoleFinance)
	h.hasher = newHasher(current())
	actor, err := h.Login(t.Context(), "  M.Okafor@Northfield.example ", outlay.NewSecret(password), "192.0.2.7")
	must(t, err)
	if actor.UserID != h.user.ID || actor.OrgID != h.org.ID || actor.Handle != "m.okafor" || !actor.May(outlay.CostsReadAll) || actor.Addr != "192.0.2.7" {
		t.Errorf("%+v", actor)
	}
	var user outlay.User
	var log []outlay.Entry
	h.change(func(tx outlay.Tx) (err error) {
		if user, err = tx.User(t.Context(), h.user.ID); err != nil {
			return err
		}
		log, err = tx.Entries(t.Context(), 10)
		return err
	})
	if !user.LastLogin.Equal(h.clock.Now()) {
		t.Errorf("last login %v", user.LastLogin)
	}
	if user.Password == h.user.Password || !strings.Contains(user.Password, "$m=65536,t=3,p=1$") {
		t.Error("the password was not hashed again with today's costs")
	}
	if len(log) != 1 || log[0].Action != "sign-in" || log[0].Result != "ok" || log[0].Addr != "192.0.2.7" {
		t.Errorf("audit %+v", log)
	}
	must(t, h.login(email, password, "192.0.2.7")) // against the new hash
}

func TestEveryWrongLoginReadsTheSame(t *testing.T) {
	h := newHouse(t, outlay.RoleAdmin)
	h.change(func(tx outlay.Tx) error {
		off := h.user
		off.ID, off.Email, off.Disabled = "usr_off", "off@northfield.example", true
		if err := tx.PutUser(t.Context(), off); err != nil {
			return err
		}
		elsewhere := h.user
		elsewhere.ID, elsewhere.Email, elsewhere.Password = "usr_else", "else@northfield.example", ""
		return tx.PutUser(t.Context(), elsewhere)
	})
	cases := map[string][2]string{
		"wrong password":         {email, "correct horse battery stapl"},
		"password in other case": {email, strings.ToUpper(password)},
		"unknown address":        {"nobody@northfield.example", password},
		"disabled user":          {"off@northfield.example", password},
		"user without password":  {"else@northfield.example", ""},
		"no address":             {"", ""},
		"password too long":      {email, password + strings.Repeat("x", 2000)},
	}
	for name, c := range cases {
		e := wantCode(t, h.login(c[0], c[1], "192.0.2.7"), outlay.CodeUnauthenticated)
		if e.Message != "Email or password is not right" || e.Error() != errLogin().Error() {
			t.Errorf("%s: %q", name, e.Error())
		}
	}
}

// A known and an unknown address must take about the same time, or the answer's time tells who has an account.
func TestUnknownAddressTakesAsLongAsAKnownOne(t *testing.T) {
	h := newHouse(t)
	h.hasher = newHasher(current())
	known := h.user
	known.Password = h.hasher.hash(password)
	h.change(func(tx outlay.Tx) error { return tx.PutUser(t.Context(), known) })
	spent := func(as string) time.Duration {
		best := time.Hour
		for range 3 {
			at := time.Now()
			_ = wantCode(t, h.login(as, "wrong password here", ""), outlay.CodeUnauthenticated)
			best = min(best, time.Since(at))
		}
		return best
	}
	// Without the dummy hash it is some hundred times less; a busy machine alone does not make a factor of ten.
	if a, b := spent(email), spent("nobody@northfield.example"); b < a/10 || a < b/10 {
		t.Errorf("known %v, unknown %v", a, b)
	}
}

func TestGuessingIsDelayedAndNeverLockedOut(t *testing.T) {
	h := newHouse(t)
	var grown []time.Duration // how long each try had to wait, those that had to
	for range 16 {
		waited := time.Duration(0)
		for ; waited < time.Hour; waited += time.Second {
			err := h.login(email, "wrong password here", "")
			if outlay.CodeOf(err) == outlay.CodeUnauthenticated {
				break
			}
			e := wantCode(t, err, outlay.CodeThrottled)
			if !strings.HasPrefix(e.Fix, "Try again in ") || !strings.Contains(e.Fix, " UTC") {
				t.Fatalf("the fix names no time: %q", e.Fix)
			}
			h.clock.Add(time.Second)
		}
		if waited > 0 {
			grown = append(grown, waited)
		}
	}
	want := []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 16 * time.Second, 32 * time.Second}
	for i, w := range want {
		if i >= len(grown) || grown[i] != w {
			t.Fatalf("waits %v", grown)
		}
	}
	if last := grown[len(grown)-1]; last != time.Minute {
		t.Fatalf("waits grow to %v", last)
	}
	_ = wantCode(t, h.login(email, password, ""), outlay.CodeThrottled) // even the right one has to wait
	h.clock.Add(time.Minute)
	must(t, h.login(email, password, ""))
	_ = wantCode(t, h.login(email, "wrong password here", ""), outlay.CodeUnauthenticated) // counted from nothing again
	must(t, h.login(email, password, ""))
}

func TestOneAddressThatTriesManyAccountsIsDelayed(t *testing.T) {
	h := newHouse(t)
	for range addressLimit().free {
		must(t, h.store.Install().Fail(t.Context(), "address:2001:db8:1:2::/64", h.clock.Now()))
	}
	_ = wantCode(t, h.login("somebody@northfield.example", password, "2001:db8:1:2::9"), outlay.CodeThrottled)
	_ = wantCode(t, h.login("somebody@northfield.example", password, "2001:db8:1:3::9"), outlay.CodeUnauthenticated)
	h.clock.Add(2 * time.Second)
	must(t, h.login(email, password, "2001:db8:1:2::9"))
	// A guesser's own account does not wipe the address's record.
	_ = wantCode(t, h.login(email, "wrong password here", "2001:db8:1:2::9"), outlay.CodeUnauthenticated)
	_ = wantCode(t, h.login(email, password, "2001:db8:1:2::9"), outlay.CodeThrottled)
}

func TestBurstOfGuessesDoesNotPassTheDelay(t *testing.T) {
	h := newHouse(t)
	var mu sync.Mutex
	codes := map[outlay.Code]int{}
	var wg sync.WaitGroup
	for range 24 {
		wg.Go(func() {
			_, err := h.Login(context.Background(), email, outlay.NewSecret("wrong password here"), "")
			mu.Lock()
			defer mu.Unlock()
			codes[outlay.CodeOf(err)]++
		})
	}
	wg.Wait()
	if tried := codes[outlay.CodeUnauthenticated]; tried < 5 || tried > accountLimit().free+maxHashing {
		t.Errorf("%v", codes)
	}
}

func TestPasswords(t *testing.T) {
	h := New(Options{Store: newStore(t)})
	for _, p := range []string{
		"", "short77", "password", "Password1!", "P@ssw0rd2026", "12345678", "87654321", "qwertyuiop", "aaaaaaaaaa", "abcabcabcabc", "abcdefgh", "letmein123456", "outlay2026",
		"changeme!", strings.Repeat("long ", 300), "bad\xff\xfe\xfdutf8",
	} {
		_, err := h.HashPassword(outlay.NewSecret(p))
		e := wantCode(t, err, outlay.CodeInvalid)
		if e.Field != "password" || e.Fix == "" || p != "password" && len(p) > 6 && strings.Contains(e.Error(), p) {
			t.Errorf("%q: %+v", p, e)
		}
	}
	first, err := h.HashPassword(outlay.NewSecret(password))
	must(t, err)
	if !strings.HasPrefix(first, "$argon2id$v=19$m=65536,t=3,p=1$") {
		t.Errorf("costs: %s", first[:32])
	}
	h.hasher = newHasher(quick())
	for _, p := range []string{password, "grünes-Pferd-7", "xK9#mLq2", "пароль-длинный", "summerhouse by the lake"} {
		a, err := h.HashPassword(outlay.NewSecret(p))
		must(t, err)
		b, err := h.HashPassword(outlay.NewSecret(p))
		must(t, err)
		if a == b {
			t.Error("two hashes of one password are the same: no salt")
		}
		right, stale, err := h.hasher.verify(a, p)
		if err != nil || !right || stale {
			t.Errorf("%q: %v %v %v", p, right, stale, err)
		}
	}
}

func FuzzParsePHC(f *testing.F) {
	f.Add("$argon2id$v=19$m=65536,t=3,p=1$c29tZXNhbHRzb21lc2FsdA$c29tZWhhc2hzb21laGFzaA")
	f.Add("$argon2id$v=19$m=4294967295,t=3,p=1$c29tZXNhbHQ$c29tZWhhc2g")
	f.Fuzz(func(t *testing.T, s string) {
		p, salt, sum, err := parsePHC(s)
		if err != nil {
			return
		}
		if p.memory > 1024*1024 || p.time > 16 || p.threads > 16 || p.time == 0 || p.threads == 0 {
			t.Fatalf("accepts %+v", p)
		}
		again, salt2, sum2, err := parsePHC(phc(p, salt, sum))
		if err != nil || again != p || string(salt) != string(salt2) || string(sum) != string(sum2) {
			t.Fatalf("%q is not read back: %v", s, err)
		}
	})
}

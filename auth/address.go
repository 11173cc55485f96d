package auth

import (
	"net/http"
	"net/netip"
	"strings"
)

// clientAddr is the network address of who asks. X-Forwarded-For is read from its end and only as far as each hop is
// a configured proxy: everything before was written by whoever asked (reliability.md M37).
func (a *Auth) clientAddr(r *http.Request) string {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return ""
	}
	addr := at.Addr().Unmap().WithZone("")
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && a.proxy(addr); i-- {
		next, err := parseHop(hops[i])
		if err != nil {
			break
		}
		addr = next
	}
	return addr.String()
}

// parseHop reads an address with or without a port.
func parseHop(s string) (netip.Addr, error) {
	s = strings.TrimSpace(s)
	if at, err := netip.ParseAddrPort(s); err == nil {
		return at.Addr().Unmap().WithZone(""), nil
	}
	addr, err := netip.ParseAddr(s)
	return addr.Unmap().WithZone(""), err
}

func (a *Auth) proxy(addr netip.Addr) bool {
	for _, p := range a.opts.TrustedProxies {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}

package web

import (
	"net/netip"

	"github.com/gin-gonic/gin"
)

// Network returns what attempts are counted by and devices are compared by: the peer's IPv4 address, or the /64 that one
// IPv6 subscriber has; "" if it cannot be read.
func Network(c *gin.Context) string { return networkOf(c.ClientIP()) }

func networkOf(ip string) string {
	address, err := netip.ParseAddr(ip)
	if err != nil {
		return ""
	}
	if address = address.Unmap(); address.Is4() {
		return address.String()
	}
	const subscriber = 64
	prefix, err := address.WithZone("").Prefix(subscriber)
	if err != nil {
		return ""
	}
	return prefix.String()
}

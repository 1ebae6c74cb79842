package config

import (
	"fmt"
	"net"
)

// CheckAddress refuses what is no address to listen on: host:port, :port, or the port's name in place of its number.
func CheckAddress(address string) error {
	_, port, err := net.SplitHostPort(address)
	if err != nil || port == "" {
		return fmt.Errorf("%q has no port: write host:port, such as 127.0.0.1:8400, or :8400 for every address", address)
	}
	if _, err := net.LookupPort("tcp", port); err != nil { //nolint:noctx // reads a file at most
		return fmt.Errorf("%q: %q is no port: write a number from 1 to 65535", address, port)
	}
	return nil
}

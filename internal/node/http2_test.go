package node_test

import (
	"bytes"
	"crypto/tls"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"regain/internal/node"
)

// Over HTTP/2 one socket carries many requests, and no time-out of a request ends a socket whose peer went away: the streams of
// one are bounded, and a peer that answers no ping is given up.
func TestSocketsOfHTTP2HaveAnEnd(t *testing.T) {
	ended := make(chan struct{})
	server := httptest.NewUnstartedServer(nil)
	server.Config = node.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).SetWriteDeadline(time.Time{}) // as live pages do
		w.WriteHeader(http.StatusOK)
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
		close(ended)
	}), slog.New(slog.DiscardHandler))
	limits := server.Config.HTTP2
	if limits == nil || limits.SendPingTimeout+limits.PingTimeout > time.Minute || limits.WriteByteTimeout > time.Minute {
		t.Fatalf("%+v", limits)
	}
	for _, limit := range []*time.Duration{&limits.SendPingTimeout, &limits.PingTimeout} { // the same, in less time
		if *limit <= 0 {
			t.Fatalf("no end: %+v", limits)
		}
		*limit /= 300
	}
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	socket, err := tls.Dial("tcp", server.Listener.Addr().String(), &tls.Config{RootCAs: server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs, ServerName: "example.com", NextProtos: []string{"h2"}})
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	if _, err := io.WriteString(socket, http2.ClientPreface); err != nil {
		t.Fatal(err)
	}
	frames := http2.NewFramer(socket, socket)
	if err := frames.WriteSettings(); err != nil {
		t.Fatal(err)
	}
	first, err := frames.ReadFrame()
	if err != nil {
		t.Fatal(err)
	}
	if streams, ok := first.(*http2.SettingsFrame).Value(http2.SettingMaxConcurrentStreams); !ok || streams > 100 {
		t.Errorf("%d streams at a time, told %t", streams, ok)
	}
	var block bytes.Buffer
	fields := hpack.NewEncoder(&block)
	for _, field := range []hpack.HeaderField{{Name: ":method", Value: "GET"}, {Name: ":scheme", Value: "https"}, {Name: ":authority", Value: "example.com"}, {Name: ":path", Value: "/"}} {
		if err := fields.WriteField(field); err != nil {
			t.Fatal(err)
		}
	}
	if err := frames.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block.Bytes(), EndStream: true, EndHeaders: true}); err != nil {
		t.Fatal(err)
	}
	select { // and nothing is sent any more, nor read
	case <-ended:
	case <-time.After(10 * time.Second):
		t.Error("a peer that is away keeps its stream")
	}
}

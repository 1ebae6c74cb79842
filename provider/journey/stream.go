package journey

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
)

// stream is where a live page is told of changes.
type stream interface {
	Send(event string) error
	SetReadDeadline(at time.Time) error
	SetWriteDeadline(at time.Time) error
	Gone() <-chan struct{} // closed when nobody listens any more
}

// firstEvent keeps the event that a page begins with, until it is known how it is sent.
type firstEvent struct{ text string }

// Send implements stream.
func (f *firstEvent) Send(event string) error { f.text = event; return nil }

// SetReadDeadline implements stream.
func (*firstEvent) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline implements stream.
func (*firstEvent) SetWriteDeadline(time.Time) error { return nil }

// Gone implements stream.
func (*firstEvent) Gone() <-chan struct{} { return nil }

// response is the answer to a request that goes on: of HTTP/2, where pages share a connection.
type response struct{ c *gin.Context }

// Send implements stream.
func (r response) Send(event string) error {
	if _, err := r.c.Writer.WriteString(event); err != nil {
		return err
	}
	return http.NewResponseController(r.c.Writer).Flush()
}

// SetReadDeadline implements stream.
func (r response) SetReadDeadline(at time.Time) error {
	return http.NewResponseController(r.c.Writer).SetReadDeadline(at)
}

// SetWriteDeadline implements stream.
func (r response) SetWriteDeadline(at time.Time) error {
	return http.NewResponseController(r.c.Writer).SetWriteDeadline(at)
}

// Gone implements stream.
func (r response) Gone() <-chan struct{} { return r.c.Request.Context().Done() }

// taken is a connection of HTTP/1.1 that was taken over from the server, which holds 20 KB for one that it serves: buffers,
// the request, and the stack of a handler. What is left are two goroutines that wait.
type taken struct {
	net.Conn
	gone chan struct{}
}

// Send implements stream.
func (t *taken) Send(event string) error {
	_, err := io.WriteString(t.Conn, event)
	return err
}

// Gone implements stream.
func (t *taken) Gone() <-chan struct{} { return t.gone }

// listen returns when the browser is gone, or the page over. Nothing is to come: "close" was said (RFC 9112 §9.6), so
// whatever comes all the same ends the page too, and is not served.
func (t *taken) listen() {
	defer close(t.gone)
	var nothing [1]byte
	_, _ = t.Read(nothing[:])
}

// takeOver sends the first event, and goes on without the request and its handler where it has a connection of its own. It
// reports whether it does: the page then leaves by itself. The gate of internal/listener counts the connection until it is
// closed.
func (l *live) takeOver(c *gin.Context, event string, next time.Duration) bool {
	hijacker := hijackerOf(c.Writer)
	if hijacker == nil {
		return false
	}
	head := headOf(c.Writer.Header(), time.Now())
	c.Writer.WriteHeader(http.StatusOK) // for the event record: gin writes nothing after Hijack
	conn, _, err := hijacker.Hijack()
	if err != nil {
		return false
	}
	t := &taken{Conn: conn, gone: make(chan struct{})}
	// The request ends with its handler, and what it is followed by with it: neither its context nor anything of it is kept.
	l.ctx, l.out = context.Background(), t
	if err := l.begin(head + event); err != nil {
		next = 0
	}
	go t.listen()
	go l.goOn(t, next)
	return true
}

// goOn serves a page on a connection that was taken over.
func (l *live) goOn(t *taken, next time.Duration) {
	defer l.leave()
	defer t.Close() //nolint:errcheck // the browser connects again by itself
	if err := l.follow(next); err != nil {
		select {
		case <-t.gone:
		default:
			l.pages.deps.Web.Logger().Warn("a live page ended", "cause", err)
		}
	}
}

// hijackerOf returns what takes the connection over below the router's own writers, or nil: neither HTTP/2 nor HEAD has one.
func hijackerOf(w gin.ResponseWriter) http.Hijacker {
	var below http.ResponseWriter = w
	for {
		if _, ours := below.(gin.ResponseWriter); !ours {
			break
		}
		inner, ok := below.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			return nil
		}
		below = inner.Unwrap()
	}
	if _, ok := below.(http.Hijacker); !ok {
		return nil
	}
	return w // which notes that it was taken over
}

// headOf is the head of a response whose content ends with its connection (RFC 9112 §6.3, the last rule): there is no length
// to tell, and no need of chunks.
func headOf(h http.Header, now time.Time) string {
	h = h.Clone()
	h.Set("Date", now.UTC().Format(http.TimeFormat))
	h.Set("Connection", "close")
	var head strings.Builder
	head.WriteString("HTTP/1.1 200 OK\r\n")
	_ = h.Write(&head) // to memory
	head.WriteString("\r\n")
	return head.String()
}

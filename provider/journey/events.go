package journey

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"regain/provider/binding"
	"regain/provider/web"
	"regain/recovery"
)

// How long one connection of a live page lasts; the browser reconnects by itself.
const (
	progressFor = 2 * time.Minute
	writeWithin = 10 * time.Second       // how long a browser may take to read one event
	soonest     = 100 * time.Millisecond // between two looks at what time has changed: clocks that disagree make no busy loop
)

// progress is one server-sent event. Reload tells the page that another page is due.
type progress struct {
	Text   string `json:"text"`
	Reload bool   `json:"reload"`
	// Codes are the texts of the QR codes, by the kind of wallet: they change while nobody scans them.
	Codes map[recovery.WalletName]string `json:"codes,omitempty"`
}

// live is a live page: what a browser shows of a transaction, and where it is told of changes. It holds no copy of the
// transaction: there may be thousands that wait.
type live struct {
	pages   *Pages
	ctx     context.Context //nolint:containedctx // of the request, or of the connection that outlives it
	out     stream
	id      recovery.TransactionID
	secret  string
	seen    string // what the page shows
	shown   string // the last event
	ends    time.Time
	version int64 // of the transaction, when the page last looked
	changed <-chan int64
	leave   func()
}

// events streams the transaction's progress (HTML Living Standard §9.2). Without scripts the page has a
// link to look again: one that refreshes itself would throw a screen reader back to its start (WCAG 2.2 §2.2.1).
func (p *Pages) events(c *gin.Context) error {
	l, err := p.open(c)
	if err != nil {
		return err
	}
	if l == nil {
		c.String(http.StatusTooManyRequests, "Too many live pages are open. Reload this page to see how the recovery stands.\n")
		return nil
	}
	h := c.Writer.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("X-Accel-Buffering", "no") // proxies must not hold events back
	taken := false
	defer func() { // after a panic, too: a place that nobody gives back is lost for everybody
		if !taken {
			l.leave()
		}
	}()
	first := &firstEvent{}
	l.out = first
	next, err := l.look()
	if taken = err == nil && l.takeOver(c, first.text, next); taken {
		return nil
	}
	if err == nil {
		l.out = response{c}
		err = l.begin(first.text)
	}
	if err == nil {
		err = l.follow(next)
	}
	if err != nil && c.Request.Context().Err() == nil {
		web.NoteError(c, err) // the stream has begun, so nothing else can be said; the browser connects again
	}
	return nil
}

// open opens the transaction for the browser that started it, and takes a place among the live pages: nil if there is none.
func (p *Pages) open(c *gin.Context) (*live, error) {
	t, err := p.deps.Binding.Open(c)
	if err != nil {
		return nil, err
	}
	leave, ok := p.streams.enter(t.ID, p.deps.Web.Network(c))
	if !ok {
		return nil, nil //nolint:nilnil // no place is no error
	}
	changed, stop := p.deps.Changes.Watch(t.ID, t.Version)
	return &live{
		pages: p, ctx: c, id: t.ID, secret: binding.Secret(c, t.ID), ends: time.Now().Add(progressFor), changed: changed,
		// The page says what it shows: between its rendering and this connection, or between two connections, the transaction
		// may have moved on, and a page that is not told waits for ever.
		seen:  c.DefaultQuery("seen", snapshot(t)),
		leave: func() { stop(); leave() },
	}, nil
}

// begin sends the first event.
func (l *live) begin(event string) error {
	// The connection lives for minutes, which the server's own deadlines do not allow. A server without deadlines answers
	// with an error that says nothing to us.
	_ = l.out.SetReadDeadline(time.Now().Add(progressFor + writeWithin))
	return l.send(event)
}

// follow writes an event whenever what the page shows has changed, until another page is due; next is when it looks first. It
// looks at the transaction when it was changed, by whichever node, and when time alone changes it, and never in between.
func (l *live) follow(next time.Duration) (err error) {
	timer := time.NewTimer(progressFor)
	defer timer.Stop()
	for next != 0 && time.Now().Before(l.ends) {
		timer.Reset(next)
		if !l.wait(timer.C) {
			return nil
		}
		if next, err = l.lookApart(); err != nil {
			return err
		}
	}
	return nil
}

// wait returns when the page has to look again, or false when it is over. A change that it has seen already, such as one of
// its own, is no reason to look.
func (l *live) wait(due <-chan time.Time) bool {
	for {
		select {
		case <-l.out.Gone():
			return false
		case <-l.pages.streams.ended:
			return false
		case version := <-l.changed:
			if version == 0 || version > l.version {
				return true
			}
		case <-due:
			return true
		}
	}
}

// lookApart looks in a goroutine of its own: the stack of the one that waits keeps the size of the largest call that it made,
// until two collections later, and there may be thousands that wait.
func (l *live) lookApart() (next time.Duration, err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			if cause := recover(); cause != nil { // as web.RecoverPanic, which is not on this stack
				err = fmt.Errorf("live page: panic: %v", cause)
			}
		}()
		next, err = l.look()
	}()
	<-done
	return next, err
}

// look tells the page how the transaction stands, and returns how long nothing but a change can make that wrong: 0 if the
// page is over. The transaction is read after the page watches it, which tells of later changes only.
func (l *live) look() (time.Duration, error) {
	service := l.pages.deps.Recovery
	t, err := service.Open(l.ctx, l.id, l.secret)
	if err != nil {
		return 0, err
	}
	l.version = t.Version
	event := progressOf(t, l.seen != snapshot(t))
	if event.Codes, err = l.pages.codes(l.ctx, t); err != nil {
		return 0, err
	}
	if line := event.encode(); line != l.shown {
		if err := l.send(line); err != nil {
			return 0, err
		}
		l.shown = line
	}
	if event.Reload {
		return 0, nil
	}
	due, err := service.Due(t)
	if err != nil {
		return 0, err
	}
	next := time.Until(l.ends)
	if !due.IsZero() {
		next = min(next, due.Sub(l.pages.deps.Clock()))
	}
	return max(next, soonest), nil
}

// send sends one event, to a browser that reads: one that does not would hold its connection, and this goroutine.
func (l *live) send(event string) error {
	_ = l.out.SetWriteDeadline(time.Now().Add(writeWithin))
	if err := l.out.Send(event); err != nil {
		return err
	}
	_ = l.out.SetWriteDeadline(time.Now().Add(progressFor + writeWithin)) // until the next event, which sets its own
	return nil
}

func progressOf(t recovery.Transaction, changed bool) progress {
	if changed {
		return progress{Text: "Checking what your wallet showed …", Reload: true}
	}
	return progress{Text: progressText(waitingFor(t))}
}

func (e progress) encode() string {
	data, err := json.Marshal(e)
	if err != nil {
		return ""
	}
	return "event: progress\ndata: " + string(data) + "\n\n"
}

// codes are the texts of the QR codes that the page shows now.
func (p *Pages) codes(ctx context.Context, t recovery.Transaction) (map[recovery.WalletName]string, error) {
	texts := make(map[recovery.WalletName]string)
	for _, channel := range t.Channels() {
		if channel.Flow != recovery.FlowCrossDevice || t.Presentation.Answer != nil || t.HandleOf(channel) == "" {
			continue
		}
		text, err := p.deps.Wallets.RequestURL(ctx, t, channel)
		if err != nil {
			return nil, err
		}
		texts[channel.Wallet] = text
	}
	return texts, nil
}

package recovery

import "context"

// Rotate returns t with the QR codes of now, as everybody gets it who reads it.
func (s *Service) Rotate(_ context.Context, t Transaction) (Transaction, error) { return s.showing(t) }

package stack

import (
	"errors"
	"testing"
)

func TestPushAndPop(t *testing.T) {
	s := New[int](3)
	for i := 0; i < 3; i++ {
		if err := s.Push(i); err != nil {
			t.Fatalf("Push(%d): %v", i, err)
		}
	}
	for i := 2; i >= 0; i-- {
		item, err := s.Pop()
		if err != nil {
			t.Fatalf("Pop: %v", err)
		}
		if item != i {
			t.Errorf("Pop = %d, want %d", item, i)
		}
	}
}

func TestPopOfEmpty(t *testing.T) {
	s := New[string](1)
	if _, err := s.Pop(); !errors.Is(err, ErrEmpty) {
		t.Errorf("Pop = %v, want %v", err, ErrEmpty)
	}
}

func TestPushBeyondLimit(t *testing.T) {
	s := New[string](1)
	if err := s.Push("one"); err != nil {
		t.Fatalf("Push: %v", err)
	}
	if err := s.Push("two"); err == nil {
		t.Errorf("Push = nil, want an error")
	}
	if s.Len() != 1 {
		t.Errorf("Len = %d, want %d", s.Len(), 1)
	}
}

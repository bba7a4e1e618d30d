// Package stack keeps values in the order last in, first out.
package stack

import (
	"errors"
	"fmt"
)

// ErrEmpty is returned when there is nothing on the stack.
var ErrEmpty = errors.New("stack is empty")

// Stack is a stack of values.
type Stack[T any] struct {
	items []T
	limit int
}

// New returns a stack that holds up to limit values.
func New[T any](limit int) *Stack[T] {
	return &Stack[T]{limit: limit}
}

// Len returns how many values there are.
func (s *Stack[T]) Len() int {
	return len(s.items)
}

// Push puts a value on top.
func (s *Stack[T]) Push(item T) error {
	if s.limit <= len(s.items) {
		return fmt.Errorf("stack is full: %d items", len(s.items))
	}
	s.items = append(s.items, item)
	return nil
}

// Pop takes the value from the top.
func (s *Stack[T]) Pop() (T, error) {
	var item T
	if len(s.items) == 0 {
		return item, ErrEmpty
	}
	item = s.items[len(s.items)-1]
	s.items = s.items[:len(s.items)-1]
	return item, nil
}

// Peek returns the value on top.
func (s *Stack[T]) Peek() (T, error) {
	var item T
	if len(s.items) == 0 {
		return item, ErrEmpty
	}
	return s.items[len(s.items)-1], nil
}

//! Tries again, and waits a little longer each time.

use std::fmt;
use std::time::Duration;

#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    pub attempts: u32,
    pub first_delay: Duration,
    pub longest_delay: Duration,
}

#[derive(Debug)]
pub enum RetryError<E> {
    Exhausted { attempts: u32, last: E },
    Fatal(E),
}

impl<E: fmt::Display> fmt::Display for RetryError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RetryError::Exhausted { attempts, last } => write!(f, "gave up after {} attempts: {}", attempts, last),
            RetryError::Fatal(error) => write!(f, "fatal: {}", error),
        }
    }
}

impl Policy {
    pub fn new(attempts: u32) -> Self {
        Policy {
            attempts,
            first_delay: Duration::from_millis(10),
            longest_delay: Duration::from_secs(5),
        }
    }

    pub fn delay(&self, attempt: u32) -> Duration {
        let delay = self.first_delay * 2u32.saturating_pow(attempt);
        delay.min(self.longest_delay)
    }

    pub fn run<T, E>(&self, mut action: impl FnMut(u32) -> Result<T, E>, mut wait: impl FnMut(Duration)) -> Result<T, RetryError<E>> {
        let mut attempt = 0;
        loop {
            match action(attempt) {
                Ok(value) => return Ok(value),
                Err(error) if attempt + 1 < self.attempts => {
                    wait(self.delay(attempt));
                    attempt += 1;
                    let _ = error;
                }
                Err(error) => return Err(RetryError::Exhausted { attempts: attempt + 1, last: error }),
            }
        }
    }
}

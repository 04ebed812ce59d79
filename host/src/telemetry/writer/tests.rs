use std::sync::Mutex;
use std::sync::mpsc;

use super::*;

/// Takes nothing as long as the other end sends no permit, and fails where it is told to.
struct Pipe {
    asks: mpsc::Sender<()>,
    permits: mpsc::Receiver<io::Result<()>>,
    taken: Arc<Mutex<String>>,
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let _ = self.asks.send(());
        self.permits.recv().unwrap_or(Ok(()))?;
        self.taken.lock().unwrap().push_str(std::str::from_utf8(bytes).unwrap());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The other end.
struct Reader {
    asked: mpsc::Receiver<()>,
    permit: mpsc::Sender<io::Result<()>>,
    taken: Arc<Mutex<String>>,
}

fn pipe() -> (LogWriter, FlushAtEnd, Reader) {
    let (asks, asked) = mpsc::channel();
    let (permit, permits) = mpsc::channel();
    let taken = Arc::default();
    let (writer, flush) = LogWriter::to(Pipe { asks, permits, taken: Arc::clone(&taken) }, LogFormat::Text);
    (writer, flush, Reader { asked, permit, taken })
}

#[test]
fn nobody_waits_for_a_reader_who_does_not_read_and_what_is_missing_is_told() {
    let (mut writer, flush, reader) = pipe();
    let lines = MAX_WAITING + 100;
    for number in 0..lines {
        writer.write_all(format!("line {number}\n").as_bytes()).unwrap();
        if number == 0 {
            // From then on the queue is not emptied until the reader reads.
            reader.asked.recv().unwrap();
        }
    }
    let Reader { permit, taken, .. } = reader;
    drop(permit);
    drop(flush);
    writer.write_all(b"the last\n").unwrap();
    drop(FlushAtEnd(writer.queue.clone()));

    let taken = taken.lock().unwrap();
    assert!(taken.starts_with("line 0\n"));
    let whole = taken.lines().filter(|line| line.starts_with("line ")).count();
    assert_eq!(whole, MAX_WAITING + 1);
    let told: usize = taken.lines().filter_map(|line| line.split_once("lines=")?.1.parse::<usize>().ok()).sum();
    assert_eq!(whole + told, lines);
    assert_eq!(writer.total().load(Ordering::Relaxed), told as u64);
    assert!(taken.ends_with("the last\n"));
    let places: Vec<&str> = taken.lines().filter(|line| !line.starts_with("line ")).collect();
    assert_eq!(places.len(), 2, "it is told once, where they are missing: {places:?}");
}

#[test]
fn after_a_closed_pipe_or_a_full_disk_it_goes_on() {
    let (mut writer, flush, Reader { permit, taken, .. }) = pipe();
    permit.send(Err(io::ErrorKind::StorageFull.into())).unwrap();
    drop(permit);
    writer.write_all(b"lost\n").unwrap();
    writer.write_all(b"kept\n").unwrap();
    drop(flush);
    let taken = taken.lock().unwrap();
    assert!(taken.starts_with('\n') && taken.contains("lines=1\n") && taken.ends_with("kept\n"), "{taken}");
}

#[test]
fn the_end_does_not_wait_for_ever() {
    let (mut writer, flush, _reader) = pipe();
    writer.write_all(b"nobody reads this\n").unwrap();
    let since = Instant::now();
    drop(flush);
    assert!(since.elapsed() < 5 * FLUSH_TIMEOUT, "{:?}", since.elapsed());
}

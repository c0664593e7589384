// Three pages, named by the part of the address behind #.
import { useEffect, useState } from 'react';
import { CourseList } from './CourseList';
import { CoursePage } from './CoursePage';
import { EditForm } from './EditForm';

export function App() {
  const [address, setAddress] = useState(location.hash);
  useEffect(() => {
    const follow = () => setAddress(location.hash);
    addEventListener('hashchange', follow);
    return () => removeEventListener('hashchange', follow);
  }, []);
  const [, id, edit] = /^#\/course\/(\d+)(\/edit)?$/.exec(address) ?? [];
  if (id === undefined) return <CourseList />;
  return edit === undefined ? <CoursePage key={id} id={Number(id)} /> : <EditForm key={id} id={Number(id)} />;
}

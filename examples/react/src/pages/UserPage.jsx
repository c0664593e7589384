// Where the names of people lead: the courses that somebody created.
import {useParams} from 'react-router';
import {UserCreatedCoursesWidget} from '@selfcommunity/react-ui';

export default function UserPage() {
  const {id} = useParams();
  return <UserCreatedCoursesWidget key={id} userId={Number(id)} />;
}
